//! Timestamps: the four layouts that go-yaml tries, read as leniently as Go's time package reads them.

/// The time as RFC 3339 with nanoseconds, trailing zeros trimmed.
pub(super) fn parse(text: &[u8]) -> Option<Box<str>> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits != 4 || text.get(4) != Some(&b'-') {
        return None;
    }
    let mut reader = Reader(text);
    let date = reader.date()?;
    let (clock, offset) = match reader.0 {
        [] => (Clock::default(), 0),
        [b'T' | b't', rest @ ..] => {
            reader.0 = rest;
            (reader.clock()?, reader.offset()?)
        }
        [b' ', ..] => {
            let blanks = reader.0.iter().take_while(|byte| **byte == b' ').count();
            reader.0 = &reader.0[blanks..];
            (reader.clock()?, 0)
        }
        _ => return None,
    };
    reader.0.is_empty().then(|| shown(date, &clock, offset).into())
}

#[derive(Default)]
struct Clock {
    hour: u32,
    minute: u32,
    second: u32,
    nanos: u32,
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn date(&mut self) -> Option<(u32, u32, u32)> {
        let year = self.0[..4].iter().fold(0, |year, digit| year * 10 + u32::from(digit - b'0'));
        self.0 = &self.0[4..];
        self.expect(b'-')?;
        let month = self.number().filter(|month| (1..=12).contains(month))?;
        self.expect(b'-')?;
        let day = self.number().filter(|day| (1..=days(year, month)).contains(day))?;
        Some((year, month, day))
    }

    fn clock(&mut self) -> Option<Clock> {
        let hour = self.number().filter(|hour| *hour < 24)?;
        self.expect(b':')?;
        let minute = self.number().filter(|minute| *minute < 60)?;
        self.expect(b':')?;
        let second = self.number().filter(|second| *second < 60)?;
        let mut nanos = 0;
        if let [b'.' | b',', fraction @ ..] = self.0 {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if digits > 0 {
                let digit =
                    |at: usize| fraction.get(at).filter(|_| at < digits).map_or(0, |byte| u32::from(byte - b'0'));
                nanos = (0..9).fold(0, |nanos, at| nanos * 10 + digit(at));
                self.0 = &fraction[digits..];
            }
        }
        Some(Clock { hour, minute, second, nanos })
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Option<i32> {
        let (sign, hours, minutes) = match self.0 {
            [b'Z', rest @ ..] => {
                self.0 = rest;
                return Some(0);
            }
            [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2, rest @ ..] => {
                self.0 = rest;
                (*sign, two_digits(*h1, *h2)?, two_digits(*m1, *m2)?)
            }
            _ => return None,
        };
        let size = (hours <= 24 && minutes <= 60).then_some(hours * 60 + minutes)?;
        Some(if sign == b'-' { -size } else { size })
    }

    /// One or two digits.
    fn number(&mut self) -> Option<u32> {
        let (value, rest) = match self.0 {
            [a @ b'0'..=b'9', b @ b'0'..=b'9', rest @ ..] => (u32::from(a - b'0') * 10 + u32::from(b - b'0'), rest),
            [a @ b'0'..=b'9', rest @ ..] => (u32::from(a - b'0'), rest),
            _ => return None,
        };
        self.0 = rest;
        Some(value)
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        self.0 = self.0.strip_prefix(&[byte])?;
        Some(())
    }
}

fn two_digits(a: u8, b: u8) -> Option<i32> {
    let both = a.is_ascii_digit() && b.is_ascii_digit();
    both.then(|| i32::from(a - b'0') * 10 + i32::from(b - b'0'))
}

fn days(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn shown((year, month, day): (u32, u32, u32), clock: &Clock, offset: i32) -> String {
    let Clock { hour, minute, second, nanos } = clock;
    let mut text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    if *nanos > 0 {
        text.push_str(format!(".{nanos:09}").trim_end_matches('0'));
    }
    if offset == 0 {
        text.push('Z');
    } else {
        let sign = if offset < 0 { '-' } else { '+' };
        text.push_str(&format!("{sign}{:02}:{:02}", offset.abs() / 60, offset.abs() % 60));
    }
    text
}
