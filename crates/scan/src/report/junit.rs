//! JUnit XML: a failed test case per finding; in our dialect an error per thing that was not read.

use std::io::{self, Write};

use bstr::ByteSlice;

use super::fields::{Dialect, Fields, Sheet, lossy};
use super::writer::Writer;
use super::{Report, Run};

/// JUnit XML without a final newline, as gitleaks writes it.
pub(super) struct Junit;

impl Report for Junit {
    fn name(&self) -> &'static str {
        "junit"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let ours = run.dialect == Dialect::Plomb;
        let unread = if ours { run.unread } else { &[] };
        let sheet = Sheet::new(run);
        let found = run.findings.len();
        let name = if ours { escaped(run.tool.name) } else { "gitleaks".to_owned() };
        let tests = found + unread.len();
        let errors = if ours { format!("errors=\"{}\" ", unread.len()) } else { String::new() };
        writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>")?;
        let time = if ours { "0" } else { "" };
        write!(out, "\t<testsuite {errors}failures=\"{found}\" name=\"{name}\" tests=\"{tests}\" time=\"{time}\">")?;
        sheet.rows().try_for_each(|row| case(&row, run, time, out))?;
        for unread in unread {
            let (what, why) = (escaped(&lossy(unread.what.as_bstr())), escaped(&unread.why));
            write!(out, "\n\t\t<testcase classname=\"not read\" file=\"{what}\" name=\"{what}\" time=\"0\">")?;
            write!(out, "\n\t\t\t<error message=\"{why}\" type=\"not read\"></error>\n\t\t</testcase>")?;
        }
        if tests > 0 {
            write!(out, "\n\t")?;
        }
        write!(out, "</testsuite>\n</testsuites>")
    }
}

fn case(row: &Fields<'_>, run: &Run<'_>, time: &str, out: &mut dyn Write) -> io::Result<()> {
    let finding = row.finding;
    let path = lossy(row.path);
    let at = if row.commit.is_empty() { String::new() } else { format!(", at commit {}", row.commit) };
    let (rule, line) = (&finding.rule, finding.span.start_line);
    let message = escaped(&format!("{rule} has detected a secret in file {path}, line {line}{at}."));
    let (class, path) = (escaped(&finding.description), escaped(&path));
    let mut json = Vec::new();
    row.write(run, &mut Writer::new(&mut json, Some("\t")))?;
    write!(out, "\n\t\t<testcase classname=\"{class}\" file=\"{path}\" name=\"{message}\" time=\"{time}\">")?;
    write!(out, "\n\t\t\t<failure message=\"{message}\" type=\"{class}\">{}</failure>", escaped(&lossy(&json)))?;
    write!(out, "\n\t\t</testcase>")
}

/// Text for XML as Go escapes it; what XML cannot hold is U+FFFD.
pub(crate) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + text.len() / 4);
    for character in text.chars() {
        match character {
            '"' => out.push_str("&#34;"),
            '\'' => out.push_str("&#39;"),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => out.push('\u{fffd}'),
            _ => out.push(character),
        }
    }
    out
}
