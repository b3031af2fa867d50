//! Who, when, and with what words: commits and tags as reports show them.

use bstr::{BStr, ByteSlice};
use gix::ObjectId;
use scan::Commit;

/// What reports show of a commit or an annotated tag; parts that are missing stay empty.
pub(super) fn read(id: ObjectId, bytes: &[u8]) -> Commit {
    let (head, message) = bytes.split_once_str("\n\n").unwrap_or((bytes, b""));
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name.as_bytes()));
    let latin = field("encoding ").is_some_and(is_latin);
    let text = |bytes: &[u8]| if latin { bytes.iter().copied().map(char::from).collect() } else { lossy(bytes) };
    let signature = field("author ").or_else(|| field("tagger ")).unwrap_or_default();
    let (name, rest) = signature.split_once_str("<").unwrap_or((signature, b""));
    let (email, date) = rest.rsplit_once_str(">").unwrap_or((rest, b""));
    Commit {
        id: id.to_string(),
        author: text(name.trim()),
        email: text(email.trim()),
        date: rfc3339(date),
        message: words(&text(message)),
    }
}

fn is_latin(name: &[u8]) -> bool {
    [&b"iso-8859-1"[..], b"iso8859-1", b"latin1", b"latin-1"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn lossy(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The subject on one line, a blank line, the body without runs of blank lines; signatures of tags are left out.
fn words(message: &str) -> String {
    let message = message.split("-----BEGIN PGP SIGNATURE-----").next().unwrap_or_default().trim();
    let (subject, body) = message.split_once("\n\n").unwrap_or((message, ""));
    let mut words = subject.lines().map(str::trim_end).collect::<Vec<_>>().join(" ");
    let mut blank = true;
    for line in body.lines().map(str::trim_end) {
        if line.is_empty() {
            blank = true;
            continue;
        }
        words.push_str(if blank { "\n\n" } else { "\n" });
        words.push_str(line);
        blank = false;
    }
    words
}

/// `1700000000 +0100` as UTC.
fn rfc3339(date: &[u8]) -> String {
    let seconds: Option<i64> = date.as_bstr().fields().next().and_then(|word| word.to_str().ok()?.parse().ok());
    // The years that RFC 3339 can write.
    let seconds = seconds.unwrap_or(0).clamp(-62_167_219_200, 253_402_300_799);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day of a day counted from 1970, by the Gregorian calendar: years begin in March, so that the leap
/// day is the last one.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let date = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, date)
}

/// The message alone, as stored.
pub(super) fn message(bytes: &[u8]) -> &BStr {
    bytes.split_once_str("\n\n").map_or(b"".as_bstr(), |(_, message)| message.as_bstr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        let cases = [
            ("0 +0000", "1970-01-01T00:00:00Z"),
            ("951782400 -0800", "2000-02-29T00:00:00Z"),
            ("1700000000 +0130", "2023-11-14T22:13:20Z"),
            ("-1 +0000", "1969-12-31T23:59:59Z"),
            ("99999999999999 +0000", "9999-12-31T23:59:59Z"),
            ("", "1970-01-01T00:00:00Z"),
        ];
        for (date, want) in cases {
            assert_eq!(rfc3339(date.as_bytes()), want, "{date}");
        }
    }

    #[test]
    fn messages() {
        let given = "subject one\nsubject two\n\nbody a\n\n   indented\n\n\n\nlast  \n\n";
        assert_eq!(words(given), "subject one subject two\n\nbody a\n\n   indented\n\nlast");
        assert_eq!(words("only\n"), "only");
        assert_eq!(words(""), "");
    }

    #[test]
    fn strange_authors() {
        let id = ObjectId::null(gix::hash::Kind::Sha1);
        let commit = read(id, b"tree x\nauthor A <b> c <d> 5 +0000\nencoding ISO-8859-1\n\ncaf\xe9\n");
        assert_eq!(
            (commit.author.as_str(), commit.email.as_str(), commit.message.as_str()),
            ("A", "b> c <d", "caf\u{e9}")
        );
        assert_eq!(read(id, b"garbage").author, "");
    }
}
