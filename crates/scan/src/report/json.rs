//! JSON: gitleaks' list, and one object per line.

use std::io::{self, Write};

use super::fields::Sheet;
use super::writer::Writer;
use super::{Report, Run};

/// gitleaks' JSON. Columns are true ones unless the run's dialect is gitleaks'.
pub(super) struct Json;

impl Report for Json {
    fn name(&self) -> &'static str {
        "json"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        let mut json = Writer::new(out, Some(" "));
        json.begin('[')?;
        Sheet::new(run).rows().try_for_each(|row| row.write(run, &mut json))?;
        json.end(']')?;
        out.write_all(b"\n")
    }
}

/// The same objects, each on one line.
pub(super) struct JsonLines;

impl Report for JsonLines {
    fn name(&self) -> &'static str {
        "jsonl"
    }

    fn write(&self, run: &Run<'_>, out: &mut dyn Write) -> io::Result<()> {
        for row in Sheet::new(run).rows() {
            row.write(run, &mut Writer::new(out, None))?;
            out.write_all(b"\n")?;
        }
        Ok(())
    }
}
