//! The Go program that says what SOPS makes of a file.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

/// A running oracle.
pub(crate) struct Oracle {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
}

impl Oracle {
    /// Starts the program at `path`.
    pub(crate) fn start(path: &Path) -> Self {
        let mut child = Command::new(path).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self { child, input, output }
    }

    /// Builds the program into Cargo's directory for tests, or says why that is not possible here.
    pub(crate) fn build() -> Result<PathBuf, String> {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../testkit/oracle/yaml");
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("oracle-yaml");
        let built = Command::new("go").args(["build", "-o"]).arg(&path).arg(".").current_dir(source).output();
        match built {
            Ok(output) if output.status.success() => Ok(path),
            Ok(output) => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
            Err(error) => Err(format!("go: {error}")),
        }
    }

    /// Its line for this file.
    pub(crate) fn ask(&mut self, file: &[u8]) -> String {
        let input = self.input.as_mut().unwrap();
        writeln!(input, "{}", file.len()).unwrap();
        input.write_all(file).unwrap();
        input.flush().unwrap();
        let mut line = String::new();
        self.output.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }
}

impl Drop for Oracle {
    fn drop(&mut self) {
        self.input = None;
        let _ = self.child.wait();
    }
}
