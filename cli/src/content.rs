//! What is written to a file or to standard output: bytes, or a text that is made while it is written.

use std::io::{self, Write};

use sops::SealedText;

/// Something that can be written.
pub(crate) trait Content {
    /// Writes all of it.
    ///
    /// # Errors
    /// Those of `sink`.
    fn write_to(&self, sink: &mut dyn Write) -> io::Result<()>;
}

impl Content for [u8] {
    fn write_to(&self, sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(self)
    }
}

impl Content for Vec<u8> {
    fn write_to(&self, sink: &mut dyn Write) -> io::Result<()> {
        sink.write_all(self)
    }
}

impl Content for SealedText {
    fn write_to(&self, sink: &mut dyn Write) -> io::Result<()> {
        self.for_each(&mut |part| sink.write_all(part))
    }
}
