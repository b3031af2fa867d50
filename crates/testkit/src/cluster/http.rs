//! Plain HTTP over the socket of `kubectl proxy`, which speaks TLS and proves who we are: a thousand requests without a
//! thousand processes.

use serde_json::Value;
use std::io::{self, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// What the API server answered.
#[derive(Clone, Debug)]
pub struct Reply {
    /// The status code; 0 if there was no answer.
    pub status: u16,
    /// The body; for a missing answer, why.
    pub body: Vec<u8>,
}

impl Reply {
    /// Was it accepted?
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The body as JSON; null if it is none.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The body as text, for messages.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The message of a refusal.
    pub fn message(&self) -> String {
        self.json()["message"].as_str().map_or_else(|| self.text(), str::to_owned)
    }
}

/// Sends one request and reads the whole answer.
pub(super) fn send(socket: &Path, method: &str, path: &str, kind: &str, body: &[u8], limit: Duration) -> Reply {
    let done = exchange(socket, method, path, kind, body, limit);
    done.unwrap_or_else(|error| Reply { status: 0, body: error.to_string().into_bytes() })
}

fn exchange(socket: &Path, method: &str, path: &str, kind: &str, body: &[u8], limit: Duration) -> io::Result<Reply> {
    let mut stream = UnixStream::connect(socket)?;
    stream.set_read_timeout(Some(limit))?;
    stream.set_write_timeout(Some(limit))?;
    // Version 1.0: the answer comes in one piece and ends with the connection.
    let length = body.len();
    let head = format!(
        "{method} {path} HTTP/1.0\r\nHost: localhost\r\nAccept: application/json\r\nContent-Type: {kind}\r\n\
         Content-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| io::Error::other("no HTTP answer"))
}

fn parse(answer: &[u8]) -> Option<Reply> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Reply { status, body: answer[end + 4..].to_vec() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_taken_apart() {
        let reply = parse(b"HTTP/1.0 409 Conflict\r\nA: b\r\n\r\n{\"message\":\"no\"}").unwrap();
        assert_eq!((reply.status, reply.message().as_str(), reply.ok()), (409, "no", false));
        assert!(parse(b"garbage").is_none());
    }
}
