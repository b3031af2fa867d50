//! Printing a tree exactly as SOPS' JSON store does.

use secret::SecretBytes;
use zeroize::Zeroizing;

use super::text;
use crate::{Branch, EmitOptions, FormatError, List, Map, Problem, Value, number};

/// The first document as a file.
pub(super) fn file(branches: &[Branch], options: &EmitOptions) -> Result<SecretBytes, FormatError> {
    let first = branches.first().ok_or_else(|| FormatError::new(Problem::Unwritable, "no document to print"))?;
    let mut printer = Printer::new(options)?;
    printer.map(&first.root)?;
    printer.out.push(b'\n');
    Ok(printer.done())
}

/// One value, without a final newline.
pub(super) fn value(value: &Value, options: &EmitOptions) -> Result<SecretBytes, FormatError> {
    let mut printer = Printer::new(options)?;
    printer.value(value)?;
    Ok(printer.done())
}

/// `map` as the value of a member of the root object.
pub(in crate::format) fn write_block(map: &Map, out: &mut Vec<u8>) -> Result<(), FormatError> {
    let mut printer = Printer::new(&EmitOptions::default())?;
    printer.depth = 1;
    printer.map(map)?;
    out.extend_from_slice(&printer.out);
    Ok(())
}

/// A value that is no collection, as JSON.
pub(in crate::format) fn scalar(value: &Value) -> Result<SecretBytes, FormatError> {
    match value {
        Value::Map(_) | Value::List(_) => {
            Err(FormatError::new(Problem::Unwritable, "a section cannot be printed on its own"))
        }
        leaf => self::value(leaf, &EmitOptions::default()),
    }
}

struct Printer {
    out: Zeroizing<Vec<u8>>,
    unit: Vec<u8>,
    depth: usize,
}

impl Printer {
    fn new(options: &EmitOptions) -> Result<Self, FormatError> {
        let unit = match options.indent.unwrap_or(-1) {
            -1 => b"\t".to_vec(),
            width => {
                let width = usize::try_from(width).ok().filter(|&width| width <= 1000);
                let what = "a JSON indent must be -1 (tabs) or 0 to 1000 blanks";
                vec![b' '; width.ok_or_else(|| FormatError::new(Problem::Unwritable, what))?]
            }
        };
        Ok(Self { out: Zeroizing::default(), unit, depth: 0 })
    }

    fn done(mut self) -> SecretBytes {
        SecretBytes::new(std::mem::take(&mut *self.out))
    }

    fn value(&mut self, value: &Value) -> Result<(), FormatError> {
        match value {
            Value::Null => self.out.extend_from_slice(b"null"),
            Value::Bool(value) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Int(value) => self.out.extend_from_slice(value.to_string().as_bytes()),
            Value::Float(value) => {
                let text = number::json(*value);
                let text =
                    text.ok_or_else(|| FormatError::new(Problem::Unwritable, "JSON has no infinity and no NaN"))?;
                self.out.extend_from_slice(text.as_bytes());
            }
            Value::Str(bytes) => text::write_go(&mut self.out, bytes.expose()),
            Value::Time(text) => text::write_go(&mut self.out, text.as_bytes()),
            Value::Map(map) => self.map(map)?,
            Value::List(list) => self.list(list)?,
        }
        Ok(())
    }

    fn map(&mut self, map: &Map) -> Result<(), FormatError> {
        self.out.push(b'{');
        if map.entries().next().is_some() {
            self.depth += 1;
            self.entries(map)?;
            self.depth -= 1;
            self.line();
        }
        self.out.push(b'}');
        Ok(())
    }

    fn entries(&mut self, map: &Map) -> Result<(), FormatError> {
        for (index, entry) in map.entries().enumerate() {
            self.separate(index);
            text::write_go(&mut self.out, entry.key.as_bytes());
            self.out.extend_from_slice(b": ");
            self.value(&entry.value.value)?;
        }
        Ok(())
    }

    fn list(&mut self, list: &List) -> Result<(), FormatError> {
        self.out.push(b'[');
        if list.nodes().next().is_some() {
            self.depth += 1;
            for (index, node) in list.nodes().enumerate() {
                self.separate(index);
                self.value(&node.value)?;
            }
            self.depth -= 1;
            self.line();
        }
        self.out.push(b']');
        Ok(())
    }

    fn separate(&mut self, index: usize) {
        if index > 0 {
            self.out.push(b',');
        }
        self.line();
    }

    fn line(&mut self) {
        self.out.push(b'\n');
        for _ in 0..self.depth {
            self.out.extend_from_slice(&self.unit);
        }
    }
}
