//! Points in time in Go's layouts (`2006-01-02 15:04:05`), in UTC.

use std::fmt::Write as _;

/// Seconds since 1970, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Time(i64);

/// Parts of a layout, longer ones before their beginnings.
const PARTS: [&str; 27] = [
    "January", "Jan", "Monday", "Mon", "MST", "2006", "Z07:00", "-07:00", "-0700", "Z0700", "01", "02", "03", "04",
    "05", "06", "002", "15", "PM", "pm", "_2", "1", "2", "3", "4", "5", ".000",
];

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// A time taken apart.
struct Civil {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
}

impl Time {
    /// From seconds; kept within the years 0 to 9999.
    pub(super) fn new(seconds: i64) -> Self {
        Self(seconds.clamp(-62_167_219_200, 253_402_300_799))
    }

    pub(super) fn seconds(self) -> i64 {
        self.0
    }

    /// Reads a text of this layout; what the layout leaves out is the first of its kind.
    pub(super) fn parse(layout: &str, text: &str) -> Option<Self> {
        let mut civil = Civil { year: 0, month: 1, day: 1, hour: 0, minute: 0, second: 0 };
        let (mut rest, mut shift, mut afternoon) = (text, 0, None);
        for (part, literal) in parts(layout) {
            match part {
                None => rest = rest.strip_prefix(literal)?,
                Some("January") => (civil.month, rest) = named(&MONTHS, rest, usize::MAX)?,
                Some("Jan") => (civil.month, rest) = named(&MONTHS, rest, 3)?,
                Some("Monday") => (_, rest) = named(&DAYS, rest, usize::MAX)?,
                Some("Mon") => (_, rest) = named(&DAYS, rest, 3)?,
                Some("MST") => rest = rest.strip_prefix("UTC").or_else(|| rest.strip_prefix("GMT"))?,
                Some("PM" | "pm") => {
                    let (half, after) = rest.split_at_checked(2)?;
                    afternoon = Some(half.eq_ignore_ascii_case("pm"));
                    rest = after;
                }
                Some(".000") => {
                    let digits = rest.strip_prefix('.')?;
                    rest = digits.trim_start_matches(|character: char| character.is_ascii_digit());
                }
                Some(zone @ ("Z07:00" | "-07:00" | "-0700" | "Z0700")) => (shift, rest) = offset(zone, rest)?,
                Some(part) => {
                    let (number, after) = number(part, rest)?;
                    rest = after;
                    *civil.slot(part)? = number;
                }
            }
        }
        if let Some(afternoon) = afternoon {
            civil.hour = civil.hour % 12 + if afternoon { 12 } else { 0 };
        }
        let fits = civil.hour < 24 && civil.minute < 60 && civil.second < 60 && civil.has_day();
        (rest.is_empty() && fits).then(|| Self::new(civil.seconds() - shift))
    }

    /// In a layout.
    pub(super) fn format(self, layout: &str) -> String {
        let civil = Civil::of(self.0);
        let mut out = String::new();
        for (part, literal) in parts(layout) {
            let twelve = (civil.hour + 11) % 12 + 1;
            let month = MONTHS[(civil.month - 1) as usize];
            let weekday = DAYS[(self.0.div_euclid(86_400) + 4).rem_euclid(7) as usize];
            let _ = match part {
                None => write!(out, "{literal}"),
                Some("January") => write!(out, "{month}"),
                Some("Jan") => write!(out, "{}", &month[..3]),
                Some("Monday") => write!(out, "{weekday}"),
                Some("Mon") => write!(out, "{}", &weekday[..3]),
                Some("MST") => write!(out, "UTC"),
                Some("2006") => write!(out, "{:04}", civil.year),
                Some("06") => write!(out, "{:02}", civil.year % 100),
                Some("01") => write!(out, "{:02}", civil.month),
                Some("1") => write!(out, "{}", civil.month),
                Some("02") => write!(out, "{:02}", civil.day),
                Some("_2") => write!(out, "{:2}", civil.day),
                Some("2") => write!(out, "{}", civil.day),
                Some("002") => write!(out, "{:03}", civil.day_of_year()),
                Some("15") => write!(out, "{:02}", civil.hour),
                Some("03") => write!(out, "{twelve:02}"),
                Some("3") => write!(out, "{twelve}"),
                Some("PM") => write!(out, "{}", if civil.hour < 12 { "AM" } else { "PM" }),
                Some("pm") => write!(out, "{}", if civil.hour < 12 { "am" } else { "pm" }),
                Some("04") => write!(out, "{:02}", civil.minute),
                Some("4") => write!(out, "{}", civil.minute),
                Some("05") => write!(out, "{:02}", civil.second),
                Some("5") => write!(out, "{}", civil.second),
                Some(".000") => write!(out, ".000"),
                Some("Z07:00" | "Z0700") => write!(out, "Z"),
                Some("-07:00") => write!(out, "+00:00"),
                Some(_) => write!(out, "+0000"),
            };
        }
        out
    }
}

impl Civil {
    /// By the proleptic Gregorian calendar, eras of 400 years beginning in March.
    fn of(seconds: i64) -> Self {
        let (days, rest) = (seconds.div_euclid(86_400) + 719_468, seconds.rem_euclid(86_400));
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted = (5 * of_year + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year_of_era + era * 400 + i64::from(month <= 2),
            month,
            day: of_year - (153 * shifted + 2) / 5 + 1,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
        }
    }

    fn seconds(&self) -> i64 {
        let year = self.year - i64::from(self.month <= 2);
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let shifted = if self.month > 2 { self.month - 3 } else { self.month + 9 };
        let of_year = (153 * shifted + 2) / 5 + self.day - 1;
        let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
        days * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    fn has_day(&self) -> bool {
        if !(1..=12).contains(&self.month) || !(1..=31).contains(&self.day) {
            return false;
        }
        let again = Self::of(self.seconds());
        (again.month, again.day) == (self.month, self.day)
    }

    fn day_of_year(&self) -> i64 {
        let first = Self { month: 1, day: 1, ..*self };
        (self.seconds() - first.seconds()) / 86_400 + 1
    }

    fn slot(&mut self, part: &str) -> Option<&mut i64> {
        Some(match part {
            "2006" => &mut self.year,
            "01" | "1" => &mut self.month,
            "02" | "2" | "_2" => &mut self.day,
            "15" | "03" | "3" => &mut self.hour,
            "04" | "4" => &mut self.minute,
            "05" | "5" => &mut self.second,
            _ => return None,
        })
    }
}

/// A layout as parts and the text between them.
fn parts(layout: &str) -> Vec<(Option<&'static str>, &str)> {
    let mut out = Vec::new();
    let (mut start, mut at) = (0, 0);
    while at < layout.len() {
        let rest = &layout[at..];
        let found = PARTS.iter().filter(|part| rest.starts_with(**part)).max_by_key(|part| part.len());
        match found {
            Some(part) => {
                if start < at {
                    out.push((None, &layout[start..at]));
                }
                out.push((Some(*part), ""));
                at += part.len();
                start = at;
            }
            None => at += rest.chars().next().map_or(1, char::len_utf8),
        }
    }
    if start < layout.len() {
        out.push((None, &layout[start..]));
    }
    out
}

fn named<'t>(names: &[&str], text: &'t str, length: usize) -> Option<(i64, &'t str)> {
    let found = names.iter().position(|name| text.starts_with(&name[..length.min(name.len())]))?;
    Some((found as i64 + 1, &text[length.min(names[found].len())..]))
}

fn number<'t>(part: &str, text: &'t str) -> Option<(i64, &'t str)> {
    let text = if part == "_2" { text.trim_start_matches(' ') } else { text };
    let most = if part == "2006" { 4 } else { 2 };
    let digits = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let exact = matches!(part, "2006" | "01" | "02" | "03" | "04" | "05" | "15");
    if digits == 0 || (exact && digits != most) {
        return None;
    }
    Some((text[..digits].parse().ok()?, &text[digits..]))
}

/// Seconds east of Greenwich.
fn offset<'t>(part: &str, text: &'t str) -> Option<(i64, &'t str)> {
    if let (true, Some(rest)) = (part.starts_with('Z'), text.strip_prefix('Z')) {
        return Some((0, rest));
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.strip_prefix(['+', '-'])?;
    let (hours, rest) = number("01", digits)?;
    let rest = if part.contains(':') { rest.strip_prefix(':')? } else { rest };
    let (minutes, rest) = number("01", rest)?;
    Some((sign * (hours * 3600 + minutes * 60), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_are_go_s() {
        let time = Time::parse("2006-01-02T15:04:05Z07:00", "2024-02-29T23:04:09+01:00").unwrap();
        assert_eq!(time.seconds(), 1_709_244_249);
        assert_eq!(time.format("Mon, 02 Jan 2006 15:04:05 MST"), "Thu, 29 Feb 2024 22:04:09 UTC");
        assert_eq!(time.format("2.1.06 3:04 PM, day 002"), "29.2.24 10:04 PM, day 060");
        assert_eq!(Time::new(0).format("2006-01-02T15:04:05Z07:00"), "1970-01-01T00:00:00Z");
        for (layout, text) in
            [("2006-01-02", "2023-02-29"), ("2006-01-02", "2023-1-01"), ("15:04", "24:00"), ("2006", "x")]
        {
            assert_eq!(Time::parse(layout, text), None, "{layout} {text}");
        }
    }
}
