//! What a running template may use up, and what its functions can reach.

use std::collections::HashMap;

use pattern::Pattern;

use super::super::fields::{Fields, Sheet};
use super::value::Value;

/// What a function answers: a value, or what is wrong, in words that hold nothing of the findings.
pub(super) type Outcome = Result<Value, String>;

/// Steps that one rendering may take: a byte of text, an item of a list. A report of ten thousand findings takes a few
/// millions.
pub(super) const STEPS: usize = 300_000_000;
/// Bytes of one text.
const LONGEST: usize = 16 << 20;
/// Items of one list.
pub(super) const MOST: usize = 1 << 20;
/// Items of all lists together.
const MOST_LIVE: usize = 8 << 20;
/// What an entry of a map costs: it is never counted as given back.
pub(super) const ENTRY: usize = 100;
/// States of one regular expression.
const LARGEST: usize = 20_000;
/// How many compiled regular expressions are kept.
const KEPT: usize = 100;
/// Bytes that may be written.
const OUTPUT: usize = 256 << 20;

pub(super) struct Machine<'a> {
    pub(super) sheet: &'a Sheet<'a>,
    pub(super) out: Vec<u8>,
    steps: usize,
    regexes: HashMap<String, Pattern>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(sheet: &'a Sheet<'a>, steps: usize) -> Self {
        Self { sheet, out: Vec::new(), steps, regexes: HashMap::new() }
    }

    pub(super) fn row(&self, index: usize) -> Fields<'a> {
        self.sheet.fields(&self.sheet.run.findings[index])
    }

    pub(super) fn spend(&mut self, steps: usize) -> Result<(), String> {
        self.steps = self.steps.checked_sub(steps).ok_or("the template takes too many steps")?;
        Ok(())
    }

    pub(super) fn check_length(&self, bytes: usize) -> Result<(), String> {
        if bytes > LONGEST { Err("a text grows beyond 16 MiB".to_owned()) } else { Ok(()) }
    }

    /// A text, paid for.
    pub(super) fn text(&mut self, text: String) -> Outcome {
        self.check_length(text.len())?;
        self.spend(1 + text.len())?;
        Ok(Value::text(text))
    }

    /// A list, paid for.
    pub(super) fn list(&mut self, items: Vec<Value>) -> Outcome {
        if items.len() > MOST {
            return Err("a list grows beyond a million items".to_owned());
        }
        self.spend(1 + items.len())?;
        if Value::live_items() + items.len() > MOST_LIVE {
            return Err("the lists of the template grow beyond eight million items".to_owned());
        }
        Ok(Value::list(items))
    }

    pub(super) fn write(&mut self, text: &str) -> Result<(), String> {
        if self.out.len() + text.len() > OUTPUT {
            return Err("the report grows beyond 256 MiB".to_owned());
        }
        self.spend(1 + text.len() / 64)?;
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }

    /// A regular expression in Go's syntax.
    pub(super) fn regex(&mut self, source: &str) -> Result<Pattern, String> {
        if let Some(known) = self.regexes.get(source) {
            return Ok(known.clone());
        }
        self.spend(500_000 + source.len() * 10)?;
        if self.regexes.len() >= KEPT {
            self.regexes.clear();
        }
        let pattern = Pattern::new(source).map_err(|_| "the regular expression is invalid")?;
        if pattern.size() > LARGEST {
            return Err("the regular expression is too large for a template".to_owned());
        }
        self.regexes.insert(source.to_owned(), pattern.clone());
        Ok(pattern)
    }
}
