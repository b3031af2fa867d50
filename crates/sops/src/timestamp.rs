//! RFC 3339 times: `lastmodified`, and YAML timestamps inside ciphertexts.

use std::fmt;

/// Seconds since 1970-01-01T00:00:00Z. The clock itself belongs to the shells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(pub i64);

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with whole seconds, as SOPS writes `lastmodified`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, second) = (self.0.div_euclid(86_400), self.0.rem_euclid(86_400));
        let (year, month, day) = civil(days);
        let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
    }
}

impl Timestamp {
    /// Reads an RFC 3339 time; fractions of a second are dropped, as SOPS does when it formats it again.
    pub fn parse(text: &str) -> Option<Self> {
        let parts = Rfc3339::parse(text)?;
        Some(Self(days(parts.date) * 86_400 + parts.seconds - i64::from(parts.offset_minutes) * 60))
    }
}

/// The fields of an RFC 3339 text, checked.
struct Rfc3339<'a> {
    date: (i64, i64, i64),
    seconds: i64,
    fraction: &'a str,
    offset_minutes: i32,
}

impl<'a> Rfc3339<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let bytes = text.as_bytes();
        let number = |range: std::ops::Range<usize>| -> Option<i64> {
            let digits = text.get(range)?;
            digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
        };
        let signs = [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')];
        if bytes.len() < 20 || signs.iter().any(|(at, sign)| bytes[*at] != *sign) {
            return None;
        }
        let date = (number(0..4)?, number(5..7)?, number(8..10)?);
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if hour > 23 || minute > 59 || second > 59 || !(1..=12).contains(&date.1) {
            return None;
        }
        if date.2 < 1 || date.2 > month_length(date.0, date.1) {
            return None;
        }
        let (fraction, zone) = fraction(&text[19..])?;
        Some(Self { date, seconds: hour * 3600 + minute * 60 + second, fraction, offset_minutes: offset(zone)? })
    }
}

/// Splits `.123Z` into fraction digits and zone.
fn fraction(rest: &str) -> Option<(&str, &str)> {
    let Some(digits) = rest.strip_prefix(['.', ',']) else {
        return Some(("", rest));
    };
    let end = digits.find(|c: char| !c.is_ascii_digit())?;
    (end > 0).then(|| digits.split_at(end))
}

/// `Z` or `±hh:mm` in minutes.
fn offset(zone: &str) -> Option<i32> {
    if zone == "Z" {
        return Some(0);
    }
    let sign = match zone.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let ok = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !ok(hours) || !ok(minutes) {
        return None;
    }
    let (hours, minutes): (i32, i32) = (hours.parse().ok()?, minutes.parse().ok()?);
    (hours <= 24 && minutes < 60).then_some(sign * (hours * 60 + minutes))
}

/// A decrypted `type:time` in the form the tree uses: RFC 3339 with nanoseconds, trailing zeros trimmed.
pub(crate) fn canonical_time(text: &str) -> Option<String> {
    let parts = Rfc3339::parse(text)?;
    let fraction = parts.fraction.get(..parts.fraction.len().min(9))?.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let zone = match parts.offset_minutes {
        0 => "Z".to_owned(),
        minutes => {
            let sign = if minutes < 0 { '-' } else { '+' };
            format!("{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60)
        }
    };
    Some(format!("{}{dot}{fraction}{zone}", &text[..19]))
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of a Gregorian date, counted in 400-year eras that start on 1 March.
fn days((year, month, day): (i64, i64, i64)) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days`].
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month_from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_survive_printing_and_reading() {
        for seconds in (-62_135_596_800..253_402_300_800).step_by(86_399 * 97) {
            let time = Timestamp(seconds);
            assert_eq!(Timestamp::parse(&time.to_string()), Some(time), "{time}");
        }
        assert_eq!(Timestamp(1_763_817_158).to_string(), "2025-11-22T13:12:38Z");
    }

    #[test]
    fn zones_and_fractions_are_read_as_sops_reads_them() {
        let utc = Timestamp::parse("2026-11-22T13:12:38Z");
        assert_eq!(Timestamp::parse("2026-11-22T13:12:38+00:00"), utc);
        assert_eq!(Timestamp::parse("2026-11-22T14:12:38.5+01:00"), utc);
        for wrong in ["", "2026-11-22", "2026-13-01T00:00:00Z", "2026-02-30T00:00:00Z", "2026-11-22T13:12:38"] {
            assert_eq!(Timestamp::parse(wrong), None, "{wrong}");
        }
        assert_eq!(canonical_time("2001-12-14T21:59:43.100-05:00").unwrap(), "2001-12-14T21:59:43.1-05:00");
        assert_eq!(canonical_time("2001-12-14T00:00:00.0Z").unwrap(), "2001-12-14T00:00:00Z");
    }
}
