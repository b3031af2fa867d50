//! Passwords in addresses: `scheme://user:password@host`, and the data source names of drivers that are no URLs.

use std::ops::Range;

use memchr::memmem;

use super::{Detected, Look};
use crate::classify::placeholder::{is_placeholder, is_reference, is_template, is_typed_sample};
use crate::classify::random::{Counts, is_random, spelling};
use crate::finding::{Confidence, Severity};

/// Longest userinfo, in bytes.
const LONGEST: usize = 512;

/// Schemes of databases, brokers and directories: their passwords may hold a bare slash.
#[rustfmt::skip]
const STORES: &[&str] = &[
    "postgres", "postgresql", "mysql", "mysql2", "mariadb", "mongodb", "mongodb+srv", "redis", "rediss", "amqp",
    "amqps", "mssql", "sqlserver", "clickhouse", "ldap", "ldaps", "smtp", "smtps", "ftp", "ftps", "sftp", "nats",
    "kafka", "oracle", "cassandra", "couchbase", "neo4j", "bolt", "influxdb", "vertica", "snowflake", "redshift",
    "trino", "presto", "cockroachdb", "mqtt", "mqtts", "stomp", "memcached", "elasticsearch", "imap", "imaps",
    "pop3", "pop3s", "postgis", "sentinel", "hive", "tidb", "jdbc", "socks5", "cockroach", "timescaledb",
    "rabbitmq", "ssh", "smb", "rtsp", "db2", "firebird", "arangodb", "couchdb", "sqlalchemy", "dynamodb", "ws",
    "wss", "tcp", "tls", "valkey", "keydb", "pgsql", "doctrine", "cloudsql", "psql",
];

/// Looks at each `://` of a line.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    for &hit in look.hits {
        if look.bytes[hit] == b':' {
            out.extend(userinfo(look.bytes, hit));
        } else {
            out.extend(driver_name(look.bytes, hit));
        }
    }
}

/// `user:password@` after a scheme.
fn userinfo(line: &[u8], hit: usize) -> Option<Detected> {
    let scheme_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"+.-".contains(byte);
    let length = line[..hit].iter().rev().take(24).take_while(|byte| scheme_part(byte)).count();
    // A shell's `${URL:-redis://…}` puts signs before the scheme.
    let length = length - line[hit - length..hit].iter().position(u8::is_ascii_alphabetic)?;
    let scheme = line[hit - length..hit].to_ascii_lowercase();
    let start = hit + 3;
    let window = &line[start..line.len().min(start + LONGEST)];
    let end = window
        .iter()
        .position(|byte| byte.is_ascii_whitespace() || b"\"'<>`|\\".contains(byte))
        .unwrap_or(window.len());
    let text = &window[..end];
    // CVS writes its method and its public user there: `cvs://:pserver:anoncvs@host`.
    if scheme == b"cvs" && text.starts_with(b":") {
        return None;
    }
    let store = STORES
        .iter()
        .any(|name| scheme == name.as_bytes() || scheme.split(|byte| *byte == b'+').next() == Some(name.as_bytes()));
    let at = last_at(text, store)?;
    if !is_host(&text[at + 1..]) {
        return None;
    }
    let colon = text[..at].iter().position(|byte| *byte == b':');
    let secret = match colon {
        Some(colon) => start + colon + 1..start + at,
        None if at >= 20 && !store => start..start + at,
        None => return None,
    };
    let user = &text[..colon.unwrap_or(0)];
    let password = &line[secret.clone()];
    let confidence = if colon.is_some() {
        password_of_url(user, password, &text[at + 1..])?
    } else {
        token_of_url(password, &text[at + 1..])?
    };
    let rule = if store { "database-url-password" } else { "url-password" };
    Some(Detected { rule, matched: hit - length..start + at + 1, secret, confidence, severity: Severity::High })
}

/// The last `@` before the path; a store's password may hold `/`, `?` and `#`.
fn last_at(text: &[u8], store: bool) -> Option<usize> {
    let authority = text.iter().position(|byte| b"/?#".contains(byte)).unwrap_or(text.len());
    let within = memchr::memrchr(b'@', &text[..authority]);
    if within.is_some() || !store || text.starts_with(b"[") {
        return within;
    }
    let port = text[..authority].rsplit(|byte| *byte == b':').next().unwrap_or_default();
    if !text[..authority].contains(&b':') || port.iter().all(u8::is_ascii_digit) {
        return None;
    }
    memchr::memchr(b'@', &text[authority..]).map(|at| authority + at)
}

fn is_host(text: &[u8]) -> bool {
    text.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || b"[${%<_(*".contains(byte))
}

/// How sure it is that a password of an address is real.
fn password_of_url(user: &[u8], password: &[u8], host: &[u8]) -> Option<Confidence> {
    let template = |text: &[u8]| !text.is_empty() && (is_template(text) || is_reference(text));
    if password.len() < 4
        || is_placeholder(password)
        || template(password)
        || password.starts_with(b"$")
        || password.starts_with(b"%s")
    {
        return None;
    }
    if password.iter().all(|byte| byte.is_ascii_uppercase() || b"_-*".contains(byte))
        || password.contains(&b'{')
        || password.contains(&b'[') && !password.contains(&b']')
    {
        return None;
    }
    if password.len() >= 12 && is_random(password) {
        return Some(Confidence::High);
    }
    let counts = Counts::of(password);
    let sample_host = [&b"example."[..], b"host", b"server", b"domain.", b"foo", b"bar", b"hostname", b"test."]
        .iter()
        .any(|name| host.starts_with(name))
        || memmem::find(host, b".example").is_some()
        || memmem::find(host, b"example.com").is_some()
        || memmem::find(host, b"example.org").is_some();
    let word = counts.digits + counts.symbols == 0 && spelling(password) > -0.3;
    let weak = password.eq_ignore_ascii_case(user)
        || is_typed_sample(password)
        || counts.upper + counts.lower == 0
        || password.len() < 6
        || word;
    Some(match (weak, sample_host) {
        (false, false) if counts.classes() >= 3 && password.len() >= 8 => Confidence::High,
        (false, false) => Confidence::Medium,
        _ => Confidence::Low,
    })
}

/// `https://TOKEN@host`.
fn token_of_url(token: &[u8], host: &[u8]) -> Option<Confidence> {
    let public = is_placeholder(token) || is_reference(token) || token.contains(&b'.') || is_sentry_key(token, host);
    (is_random(token) && !public).then_some(Confidence::Medium)
}

/// `https://KEY@host/42`: the key of a Sentry project goes to every browser.
fn is_sentry_key(token: &[u8], host: &[u8]) -> bool {
    let project = host.iter().position(|byte| *byte == b'/').map_or(&b""[..], |at| &host[at + 1..]);
    let project = &project[project.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1)..];
    token.len() == 32
        && token.iter().all(u8::is_ascii_hexdigit)
        && !project.is_empty()
        && project.iter().take_while(|byte| !b"?,;)".contains(byte)).all(u8::is_ascii_digit)
}

/// `user:password@tcp(host)` of Go's MySQL driver, `user/password@host` of Oracle's.
fn driver_name(line: &[u8], hit: usize) -> Option<Detected> {
    let (secret, start) = if line[hit] == b'@' { go_mysql(line, hit)? } else { oracle(line, hit)? };
    let password = &line[secret.clone()];
    let confidence = password_of_url(&line[start..secret.start - 1], password, b"x")?;
    let end = secret.end + 1;
    Some(Detected { rule: "database-url-password", matched: start..end, secret, confidence, severity: Severity::High })
}

fn go_mysql(line: &[u8], at: usize) -> Option<(Range<usize>, usize)> {
    let run = line[..at]
        .iter()
        .rev()
        .take(LONGEST)
        .take_while(|byte| !byte.is_ascii_whitespace() && !b"\"'`=".contains(byte))
        .count();
    let colon = line[at - run..at].iter().position(|byte| *byte == b':')?;
    (colon > 0).then_some((at - run + colon + 1..at, at - run))
}

fn oracle(line: &[u8], hit: usize) -> Option<(Range<usize>, usize)> {
    let start = hit + "jdbc:oracle:thin:".len();
    let window = &line[start..line.len().min(start + LONGEST)];
    let end =
        window.iter().position(|byte| byte.is_ascii_whitespace() || b"\"'<>`".contains(byte)).unwrap_or(window.len());
    let at = memchr::memrchr(b'@', &window[..end])?;
    let slash = memchr::memchr(b'/', &window[..at])?;
    (slash > 0).then_some((start + slash + 1..start + at, start))
}
