//! CSV: gitleaks' columns; ours after them.

use std::borrow::Cow;
use std::io::{self, Write};

use super::fields::{Dialect, Fields, Sheet, state};
use super::{Report, Run};

/// RFC 4180, with `\n` as the end of a record. In our dialect a cell that a spreadsheet would take for a formula gets a
/// leading `'`, and the header stands even above nothing; gitleaks does neither.
pub(super) struct Csv;

const HEADER: [&str; 16] = [
    "RuleID",
    "Commit",
    "File",
    "SymlinkFile",
    "Secret",
    "Match",
    "StartLine",
    "EndLine",
    "StartColumn",
    "EndColumn",
    "Author",
    "Message",
    "Date",
    "Email",
    "Fingerprint",
    "Tags",
];

const OURS: [&str; 4] = ["Severity", "Confidence", "State", "ValueFingerprint"];

impl Report for Csv {
    fn name(&self) -> &'static str {
        "csv"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let ours = run.dialect == Dialect::Plomb;
        let sheet = Sheet::new(run);
        let linked = sheet.rows().next().is_some_and(|first| !first.link.is_empty());
        if run.findings.is_empty() && !ours {
            return Ok(());
        }
        let header = HEADER.iter().chain(linked.then_some(&"Link")).chain(ours.then_some(&OURS).into_iter().flatten());
        record(header.map(|name| Cow::Borrowed(name.as_bytes())), false, out)?;
        for row in sheet.rows() {
            let link = linked.then_some(row.link.as_bytes());
            let mut cells: Vec<Cow<'_, [u8]>> = cells(&row).into_iter().chain(link.map(Cow::Borrowed)).collect();
            if ours {
                cells.extend(our_cells(&row, run).map(|cell| Cow::Owned(cell.into_bytes())));
            }
            record(cells.into_iter(), ours, out)?;
        }
        Ok(())
    }
}

fn cells<'a>(row: &'a Fields<'_>) -> [Cow<'a, [u8]>; 16] {
    let finding = row.finding;
    let text = |text: &'a str| Cow::Borrowed(text.as_bytes());
    let number = |number: usize| Cow::Owned(number.to_string().into_bytes());
    [
        text(&finding.rule),
        text(row.commit),
        Cow::Borrowed(row.path.as_ref()),
        Cow::Borrowed(row.symlink.as_ref()),
        text(finding.secret.as_str()),
        text(finding.matched.as_str()),
        number(finding.span.start_line),
        number(finding.span.end_line),
        number(row.start_column),
        number(row.end_column),
        text(row.author),
        text(row.message),
        text(row.date),
        text(row.email),
        Cow::Borrowed(&row.fingerprint),
        Cow::Owned(finding.tags.join(" ").into_bytes()),
    ]
}

fn our_cells(row: &Fields<'_>, run: &Run<'_>) -> [String; 4] {
    let finding = row.finding;
    [
        finding.severity.name().to_owned(),
        finding.confidence.name().to_owned(),
        state(finding.origin.presence).unwrap_or_default().to_owned(),
        run.fingerprints.of(finding),
    ]
}

fn record<'a>(cells: impl Iterator<Item = Cow<'a, [u8]>>, guard: bool, out: &mut dyn Write) -> io::Result<()> {
    for (index, cell) in cells.enumerate() {
        if index > 0 {
            out.write_all(b",")?;
        }
        let is_formula = cell.first().is_some_and(|first| b"=+-@\t\r\n".contains(first)) || starts_wide(&cell);
        if guard && is_formula {
            let mut safe = b"'".to_vec();
            safe.extend_from_slice(&cell);
            write_cell(&safe, out)?;
        } else {
            write_cell(&cell, out)?;
        }
    }
    out.write_all(b"\n")
}

/// Full-width signs, which some spreadsheets read as the plain ones.
fn starts_wide(cell: &[u8]) -> bool {
    ["＝", "＋", "－", "＠"].iter().any(|sign| cell.starts_with(sign.as_bytes()))
}

fn write_cell(cell: &[u8], out: &mut dyn Write) -> io::Result<()> {
    let first = cell.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next());
    let must_quote =
        cell == br"\." || cell.iter().any(|byte| b",\"\r\n".contains(byte)) || first.is_some_and(char::is_whitespace);
    if !must_quote {
        return out.write_all(cell);
    }
    out.write_all(b"\"")?;
    for (index, part) in cell.split(|byte| *byte == b'"').enumerate() {
        if index > 0 {
            out.write_all(b"\"\"")?;
        }
        out.write_all(part)?;
    }
    out.write_all(b"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(cell: &str, guard: bool) -> String {
        let mut out = Vec::new();
        record([Cow::Borrowed(cell.as_bytes())].into_iter(), guard, &mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn cells_are_quoted_where_they_must_be() {
        for (cell, written) in
            [("a b", "a b"), (" a", "\" a\""), ("a\"b", "\"a\"\"b\""), ("\\.", "\"\\.\""), ("a\nb", "\"a\nb\"")]
        {
            assert_eq!(one(cell, false), format!("{written}\n"));
        }
    }

    #[test]
    fn formulas_are_text() {
        for cell in ["=1+1", "+1", "-1", "@x", "＝1"] {
            assert_eq!(one(cell, true), format!("'{cell}\n"));
            assert_eq!(one(cell, false), format!("{cell}\n"));
        }
        assert_eq!(one("\t=1", true), "'\t=1\n");
        assert_eq!(one("\r=1,", true), "\"'\r=1,\"\n");
    }
}
