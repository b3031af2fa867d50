//! A proxy between a controller and the API server that does to chosen requests what networks, load balancers and
//! overloaded servers do: refuses, delays, loses and breaks off. Everything else, watches too, goes through as it is,
//! with the caller's own token, over the socket of `kubectl proxy`.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Between two looks whether a stream is to end.
const TICK: Duration = Duration::from_millis(100);
/// For one answer that is no stream.
const LIMIT: Duration = Duration::from_secs(60);

/// What happens to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It never reaches the API server; this status code answers, with the object `Status` that belongs to it.
    Status(u16),
    /// It waits until its rule is cleared, then all goes well.
    Held,
    /// The API server does what it is told, and no answer comes back.
    Lost,
    /// The same, and half of the answer comes back before the connection breaks off.
    Half,
    /// The same, and all of the answer but its last two bytes comes back as if it were the whole.
    Short,
    /// A watch is answered by the event that says that its resource version is too old.
    Expired,
}

/// A fault for requests of one of these methods that contain all of these parts in path, query or body, so many times.
#[derive(Clone, Debug)]
pub struct Rule {
    methods: &'static str,
    parts: Vec<String>,
    left: usize,
    fault: Fault,
    cleared: Arc<AtomicBool>,
}

/// The proxy. Ends when dropped.
#[derive(Debug)]
pub struct FaultProxy {
    shared: Arc<Shared>,
    address: SocketAddr,
}

#[derive(Debug)]
struct Shared {
    upstream: PathBuf,
    rules: Mutex<Vec<Rule>>,
    /// Every request: method, path and query, body; and the fault that it met.
    seen: Mutex<Vec<(String, Option<Fault>)>>,
    /// Counts how often all watches were cut.
    cuts: AtomicUsize,
    ended: AtomicBool,
}

impl Rule {
    /// For every such request until the rules are cleared. `methods` are separated by blanks.
    pub fn always(methods: &'static str, parts: &[&str], fault: Fault) -> Self {
        Self::times(usize::MAX, methods, parts, fault)
    }

    /// For the next so many.
    pub fn times(left: usize, methods: &'static str, parts: &[&str], fault: Fault) -> Self {
        let parts = parts.iter().map(|part| (*part).to_owned()).collect();
        Self { methods, parts, left, fault, cleared: Arc::default() }
    }

    fn fits(&self, request: &str) -> bool {
        self.left > 0 && fits(request, self.methods, self.parts.iter().map(String::as_str))
    }
}

/// Whether a request, as it is kept in [`Shared::seen`], is of one of these methods and has all parts.
fn fits<'p>(request: &str, methods: &str, mut parts: impl Iterator<Item = &'p str>) -> bool {
    let method = request.split(' ').next().unwrap_or_default();
    methods.split(' ').any(|one| one == method) && parts.all(|part| request.contains(part))
}

impl FaultProxy {
    /// Starts one in front of the socket of a `kubectl proxy`.
    pub(super) fn start(upstream: PathBuf) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let shared = Arc::new(Shared {
            upstream,
            rules: Mutex::default(),
            seen: Mutex::default(),
            cuts: AtomicUsize::new(0),
            ended: AtomicBool::new(false),
        });
        let served = shared.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if served.has_ended() {
                    return;
                }
                let served = served.clone();
                // A connection that breaks is the caller's to notice.
                std::thread::spawn(move || stream.and_then(|stream| served.serve(stream)));
            }
        });
        Self { shared, address }
    }

    /// Its address as a URL.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Adds a rule. The first that fits counts.
    pub fn add(&self, rule: Rule) {
        self.shared.rules().push(rule);
    }

    /// Takes out the rules that name this part; all of them for an empty one.
    pub fn clear(&self, part: &str) {
        self.shared.rules().retain(|rule| {
            let stays = !rule.parts.iter().any(|it| it.contains(part));
            rule.cleared.store(!stays, Ordering::SeqCst);
            stays
        });
    }

    /// Breaks off all watches, in the middle of their streams.
    pub fn cut_watches(&self) {
        self.shared.cuts.fetch_add(1, Ordering::SeqCst);
    }

    /// How many requests of one of these methods came that contain all of these parts in path, query or body.
    pub fn count(&self, methods: &str, parts: &[&str]) -> usize {
        self.shared.seen().iter().filter(|(request, _)| fits(request, methods, parts.iter().copied())).count()
    }

    /// How many requests met this fault.
    pub fn met(&self, fault: Fault) -> usize {
        self.shared.seen().iter().filter(|(_, met)| *met == Some(fault)).count()
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.shared.ended.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn rules(&self) -> MutexGuard<'_, Vec<Rule>> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn seen(&self) -> MutexGuard<'_, Vec<(String, Option<Fault>)>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// One request per connection.
    fn serve(&self, mut client: TcpStream) -> io::Result<()> {
        client.set_read_timeout(Some(LIMIT))?;
        client.set_nodelay(true)?;
        let Some(request) = Request::read(&mut client)? else { return Ok(()) };
        let text = format!("{} {} {}", request.method, request.target, String::from_utf8_lossy(&request.body));
        let met = self.rules().iter_mut().find(|rule| rule.fits(&text)).map(|rule| {
            rule.left -= 1;
            (rule.fault, rule.cleared.clone())
        });
        let (fault, cleared) = met.unzip();
        self.seen().push((text, fault));
        match fault {
            None => self.pass(&request, client),
            Some(Fault::Held) => {
                while !cleared.as_deref().is_some_and(|cleared| cleared.load(Ordering::SeqCst)) && !self.has_ended() {
                    std::thread::sleep(TICK);
                }
                self.pass(&request, client)
            }
            Some(Fault::Status(code)) => client.write_all(&refusal(code)),
            Some(Fault::Expired) => client.write_all(&expired()),
            Some(Fault::Lost) => self.whole(&request).map(|_| ()),
            Some(Fault::Half) => {
                let answer = self.whole(&request)?;
                let body = body_at(&answer);
                client.write_all(&answer[..body + (answer.len() - body) / 2])
            }
            Some(Fault::Short) => {
                let answer = self.whole(&request)?;
                let body = &answer[body_at(&answer)..];
                client.write_all(&framed("200 OK", &body[..body.len().saturating_sub(2)]))
            }
        }
    }

    fn send(&self, request: &Request, version: &str) -> io::Result<UnixStream> {
        let mut upstream = UnixStream::connect(&self.upstream)?;
        upstream
            .write_all(format!("{} {} {version}\r\n{}", request.method, request.target, request.head).as_bytes())?;
        upstream.write_all(b"Connection: close\r\n\r\n")?;
        upstream.write_all(&request.body)?;
        Ok(upstream)
    }

    /// The whole answer, in one piece.
    fn whole(&self, request: &Request) -> io::Result<Vec<u8>> {
        let mut upstream = self.send(request, "HTTP/1.0")?;
        upstream.set_read_timeout(Some(LIMIT))?;
        let mut answer = Vec::new();
        upstream.read_to_end(&mut answer)?;
        Ok(answer)
    }

    /// Hands the answer on as it comes, to its end or until watches are cut.
    fn pass(&self, request: &Request, mut client: TcpStream) -> io::Result<()> {
        let cuts = self.cuts.load(Ordering::SeqCst);
        let is_cut = || request.is_watch() && self.cuts.load(Ordering::SeqCst) != cuts;
        let mut upstream = self.send(request, "HTTP/1.1")?;
        upstream.set_read_timeout(Some(TICK))?;
        let mut buffer = vec![0; 64 << 10];
        while !is_cut() && !self.has_ended() {
            match upstream.read(&mut buffer) {
                Ok(0) => break,
                Ok(count) => client.write_all(&buffer[..count])?,
                Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// A request as it came.
struct Request {
    method: String,
    target: String,
    /// The header lines without those about this one connection.
    head: String,
    body: Vec<u8>,
}

impl Request {
    /// `None` at the end of a connection on which nothing was asked.
    fn read(stream: &mut TcpStream) -> io::Result<Option<Self>> {
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "no HTTP request");
        let mut words = line.split(' ').map(str::to_owned);
        let (method, target) = (words.next().ok_or_else(bad)?, words.next().ok_or_else(bad)?);
        let (mut head, mut length) = (String::new(), 0);
        loop {
            line.clear();
            reader.read_line(&mut line)?;
            let (name, value) = match line.trim_end().split_once(':') {
                Some((name, value)) => (name.to_ascii_lowercase(), value.trim()),
                None => break,
            };
            if name == "content-length" {
                length = value.parse().map_err(|_| bad())?;
            }
            if name != "connection" {
                head.push_str(&line);
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        Ok(Some(Self { method, target, head, body }))
    }

    fn is_watch(&self) -> bool {
        self.target.contains("watch=true")
    }
}

fn body_at(answer: &[u8]) -> usize {
    answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(answer.len(), |at| at + 4)
}

fn framed(status: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n");
    [head.as_bytes(), b"Connection: close\r\n\r\n", body].concat()
}

/// The object with which an API server refuses.
fn status(code: u16) -> serde_json::Value {
    let (reason, message) = match code {
        403 => ("Forbidden", "the script forbids it"),
        404 => ("NotFound", "namespaces \"scripted\" not found"),
        409 => ("Conflict", "the object has been modified"),
        410 => ("Expired", "too old resource version: 1 (2)"),
        429 => ("TooManyRequests", "the server has received too many requests"),
        503 => ("ServiceUnavailable", "the server is currently unable to handle the request"),
        504 => ("Timeout", "the server did not answer in time"),
        _ => ("InternalError", "the script says so"),
    };
    serde_json::json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
        "reason": reason, "message": message, "code": code,
    })
}

fn refusal(code: u16) -> Vec<u8> {
    framed(&format!("{code} Scripted"), status(code).to_string().as_bytes())
}

fn expired() -> Vec<u8> {
    let event = serde_json::json!({"type": "ERROR", "object": status(410)});
    framed("200 OK", format!("{event}\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixListener;

    /// A server that answers every request with its own first line.
    fn echo(scratch: &crate::Scratch) -> PathBuf {
        let path = scratch.root().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut reader = BufReader::new(stream.unwrap());
                let (mut first, mut line) = (String::new(), String::new());
                reader.read_line(&mut first).unwrap();
                while reader.read_line(&mut line).unwrap() > 2 {
                    line.clear();
                }
                let body = format!("{{\"asked\":\"{}\"}}", first.trim());
                let _ = reader.get_mut().write_all(&framed("200 OK", body.as_bytes()));
            }
        });
        path
    }

    fn ask(proxy: &FaultProxy, line: &str) -> String {
        let mut stream = TcpStream::connect(proxy.address).unwrap();
        stream.write_all(format!("{line} HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n\r\n").as_bytes()).unwrap();
        let mut answer = String::new();
        let _ = stream.read_to_string(&mut answer);
        answer
    }

    #[test]
    fn chosen_requests_meet_their_fault_and_others_pass() {
        let scratch = crate::Scratch::new("fault-proxy");
        let proxy = FaultProxy::start(echo(&scratch));
        assert!(ask(&proxy, "GET /a").ends_with("{\"asked\":\"GET /a HTTP/1.1\"}"));
        proxy.add(Rule::times(1, "GET", &["/a"], Fault::Status(503)));
        proxy.add(Rule::always("PATCH", &["/a", "force"], Fault::Half));
        assert!(ask(&proxy, "GET /a").starts_with("HTTP/1.1 503"));
        assert!(ask(&proxy, "GET /a").starts_with("HTTP/1.1 200"), "once only");
        let half = ask(&proxy, "PATCH /a?force=true");
        assert!(half.contains("Content-Length: 40") && half.ends_with("{\"asked\":\"PATCH /a?f"), "{half}");
        assert!(ask(&proxy, "PATCH /a").contains("asked"), "another query");
        proxy.clear("force");
        assert!(ask(&proxy, "PATCH /a?force=true").ends_with('}'));
        assert_eq!((proxy.count("GET", &["/a"]), proxy.met(Fault::Half)), (3, 1));
    }

    #[test]
    fn what_is_held_goes_on_when_its_rule_is_cleared() {
        let scratch = crate::Scratch::new("fault-proxy-held");
        let proxy = Arc::new(FaultProxy::start(echo(&scratch)));
        proxy.add(Rule::times(1, "GET", &["/held"], Fault::Held));
        let asking = std::thread::spawn({
            let proxy = proxy.clone();
            move || ask(&proxy, "GET /held")
        });
        while proxy.met(Fault::Held) == 0 {
            std::thread::sleep(TICK);
        }
        assert!(ask(&proxy, "GET /other").contains("/other") && !asking.is_finished());
        proxy.clear("/held");
        assert!(asking.join().unwrap().contains("/held"));
    }

    #[test]
    fn what_is_lost_was_done() {
        let scratch = crate::Scratch::new("fault-proxy-lost");
        let proxy = FaultProxy::start(echo(&scratch));
        proxy.add(Rule::always("PUT", &[], Fault::Lost));
        proxy.add(Rule::always("GET", &["short"], Fault::Short));
        proxy.add(Rule::always("GET", &["watch=true"], Fault::Expired));
        assert_eq!(ask(&proxy, "PUT /b"), "");
        let short = ask(&proxy, "GET /short");
        assert!(short.contains("Content-Length: 29") && short.ends_with("HTTP/1.0"), "{short}");
        assert!(ask(&proxy, "GET /c?watch=true").ends_with("\"code\":410}}\n"));
    }
}
