//! Reports that people write themselves: Go's text/template with the functions that make sense for text.
//!
//! The data is the list of findings, under gitleaks' field names; beside these a finding has `Severity`, `Confidence`,
//! `State` and `ValueFingerprint`. Functions that look at the environment, the network, the clock or randomness are
//! refused by name. A template can neither hang nor fill the memory: steps, texts, lists and the output have limits.

mod eval;
mod format;
mod functions;
mod lex;
mod machine;
mod parse;
mod time;
mod value;

#[cfg(test)]
mod tests;

use std::io::{self, Write};

use super::fields::Sheet;
use super::{Report, Run};
use eval::Evaluator;
use machine::Machine;
use value::Value;

/// A template, read.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    tree: parse::Tree,
    /// How many steps it may take.
    steps: usize,
}

/// What is wrong with a template, and where. It may repeat words of the template, never of a finding.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{line}:{column}: {what}")]
pub struct TemplateError {
    /// Line, from 1.
    pub line: usize,
    /// Column in code points, from 1.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl TemplateError {
    fn new(source: &str, at: usize, what: String) -> Self {
        let before = &source.as_bytes()[..at.min(source.len())];
        let start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        Self { line, column: String::from_utf8_lossy(&before[start..]).chars().count() + 1, what }
    }
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// The first thing that is wrong with it: syntax, an unknown function or variable.
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        Ok(Self { source: source.to_owned(), tree: parse::parse(source)?, steps: machine::STEPS })
    }

    /// The report it makes.
    ///
    /// # Errors
    /// A function that cannot work on what it is given, an unknown field, or a limit.
    pub fn render(&self, run: &Run<'_>) -> Result<Vec<u8>, TemplateError> {
        let sheet = Sheet::new(run);
        let mut machine = Machine::new(&sheet, self.steps);
        let data = Value::list((0..run.findings.len()).map(Value::Finding).collect());
        Evaluator::new(&self.source, &self.tree, &mut machine).run(data)?;
        Ok(machine.out)
    }
}

impl Report for Template {
    fn name(&self) -> &'static str {
        "template"
    }

    /// Writes nothing if the template fails; the error is a [`TemplateError`] inside.
    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(&self.render(run).map_err(io::Error::other)?)
    }
}
