//! gitleaks' `-v` block, for the drop-in: one finding, label by label. Escape sequences of the repository are not
//! passed on to the terminal.

use std::io::{self, Write};

use super::fields::{Fields, Sheet};
use super::neutral::{show, show_lines};
use super::{Report, Run};

/// The blocks of all findings.
pub struct Verbose;

impl Report for Verbose {
    fn name(&self) -> &'static str {
        "verbose"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        Sheet::new(run).rows().try_for_each(|row| block(&row, out))
    }
}

fn block(fields: &Fields<'_>, out: &mut dyn Write) -> io::Result<()> {
    let finding = fields.finding;
    label(out, "Finding", show_lines(&context(finding.line.as_str().trim(), finding.matched.as_str().trim())))?;
    label(out, "Secret", show_lines(finding.secret.as_str().trim()))?;
    label(out, "RuleID", show(finding.rule.as_bytes()))?;
    label(out, "Entropy", format!("{:.6}", finding.entropy))?;
    if !fields.path.is_empty() {
        if !finding.tags.is_empty() {
            label(out, "Tags", show(format!("[{}]", finding.tags.join(" ")).as_bytes()))?;
        }
        label(out, "File", show(fields.path))?;
        label(out, "Line", finding.span.start_line.to_string())?;
        if !fields.commit.is_empty() {
            label(out, "Commit", show(fields.commit.as_bytes()))?;
            label(out, "Author", show(fields.author.as_bytes()))?;
            label(out, "Email", show(fields.email.as_bytes()))?;
            label(out, "Date", show(fields.date.as_bytes()))?;
        }
        label(out, "Fingerprint", show(&fields.fingerprint))?;
        if !fields.link.is_empty() {
            label(out, "Link", show(fields.link.as_bytes()))?;
        }
    }
    required(fields, out)?;
    writeln!(out)
}

/// The match with what stands round it: all that follows, and of what comes before no more than the end.
fn context(line: &str, matched: &str) -> String {
    const BEFORE: usize = 20;
    let Some(at) = line.find(matched).filter(|_| !matched.is_empty()) else { return matched.to_owned() };
    let from = line.floor_char_boundary(at.saturating_sub(BEFORE));
    let dots = if at > BEFORE { "..." } else { "" };
    format!("{dots}{}", &line[from..])
}

fn required(fields: &Fields<'_>, out: &mut dyn Write) -> io::Result<()> {
    for (index, component) in fields.finding.components.iter().enumerate() {
        let secret = component.secret.as_str();
        let cut = if secret.chars().count() > 40 {
            secret.chars().take(37).chain("...".chars()).collect()
        } else {
            secret.to_owned()
        };
        let line = format!("{}:{}:{}", component.rule, component.span.start_line, cut);
        let name = if index == 0 { "Required:" } else { "" };
        writeln!(out, "{name:12} {}", show(line.as_bytes()))?;
    }
    Ok(())
}

fn label(out: &mut dyn Write, name: &str, value: String) -> io::Result<()> {
    writeln!(out, "{:12} {value}", format!("{name}:"))
}

#[cfg(test)]
mod tests {
    use super::context;

    #[test]
    fn a_match_is_shown_with_its_line() {
        assert_eq!(context("k = REDACTED # hi", "REDACTED"), "k = REDACTED # hi");
        assert_eq!(context("a very long beginning of a line: REDACTED", "REDACTED"), "...eginning of a line: REDACTED");
        assert_eq!(context("", "file detected: x"), "file detected: x");
        assert_eq!(context("ééééééééééééé = x", "x"), "...ééééééééé = x");
    }
}
