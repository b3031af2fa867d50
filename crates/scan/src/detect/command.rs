//! Passwords in command lines whose flags do not say `password`: `curl -u user:pass`, `sshpass -p`, `mysql -pX`.

use std::ops::Range;

use super::{Detected, Look, call};
use crate::classify::judge;
use crate::classify::name::Kind;
use crate::classify::placeholder::is_typed_sample;
use crate::finding::{Confidence, Severity};

/// A program, the flag that takes its password, and what the value is.
struct Flag {
    program: &'static str,
    flags: &'static [&'static str],
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// The password itself, after a space or `=`.
    Apart,
    /// The password itself, right behind the flag.
    Attached,
    /// `user:password`.
    Pair,
    /// `user%password`.
    Percent,
    /// The password itself, behind so many other words.
    Behind(usize),
    /// The first word behind a share's that is no option: `net use Z: \\\\host\\share x /user:y`.
    Share,
}

const FLAGS: &[Flag] = &[
    Flag { program: "curl", flags: &["-u", "--user", "-U", "--proxy-user"], form: Form::Pair },
    Flag { program: "wget", flags: &["--user"], form: Form::Pair },
    Flag { program: "http", flags: &["-a", "--auth"], form: Form::Pair },
    Flag { program: "sshpass", flags: &["-p"], form: Form::Apart },
    Flag { program: "sshpass", flags: &["-p"], form: Form::Attached },
    Flag { program: "mysql", flags: &["-p"], form: Form::Attached },
    Flag { program: "mysqldump", flags: &["-p"], form: Form::Attached },
    Flag { program: "mysqladmin", flags: &["-p"], form: Form::Attached },
    Flag { program: "mariadb", flags: &["-p"], form: Form::Attached },
    Flag { program: "redis-cli", flags: &["-a", "--pass"], form: Form::Apart },
    Flag { program: "docker login", flags: &["-p"], form: Form::Apart },
    Flag { program: "podman login", flags: &["-p"], form: Form::Apart },
    Flag { program: "oc login", flags: &["-p"], form: Form::Apart },
    Flag { program: "az login", flags: &["-p"], form: Form::Apart },
    Flag { program: "mongo", flags: &["-p"], form: Form::Apart },
    Flag { program: "mongodump", flags: &["-p"], form: Form::Apart },
    Flag { program: "ldapsearch", flags: &["-w"], form: Form::Apart },
    Flag { program: "ldapmodify", flags: &["-w"], form: Form::Apart },
    Flag { program: "ldapadd", flags: &["-w"], form: Form::Apart },
    Flag { program: "ldapdelete", flags: &["-w"], form: Form::Apart },
    Flag { program: "ldapwhoami", flags: &["-w"], form: Form::Apart },
    Flag { program: "sqlcmd", flags: &["-P"], form: Form::Apart },
    Flag { program: "bcp", flags: &["-P"], form: Form::Apart },
    Flag { program: "smbclient", flags: &["-U"], form: Form::Percent },
    Flag { program: "openssl", flags: &["-passin", "-passout", "-pass", "-k"], form: Form::Apart },
    Flag { program: "keytool", flags: &["-storepass", "-keypass", "-srcstorepass"], form: Form::Apart },
    Flag { program: "jarsigner", flags: &["-storepass", "-keypass"], form: Form::Apart },
    Flag { program: "zip", flags: &["-P"], form: Form::Apart },
    Flag { program: "unzip", flags: &["-P"], form: Form::Apart },
    Flag { program: "7z", flags: &["-p"], form: Form::Attached },
    Flag { program: "xfreerdp", flags: &["/p:"], form: Form::Attached },
    Flag { program: "cadaver", flags: &["-p"], form: Form::Apart },
    Flag { program: "snowsql", flags: &["-p"], form: Form::Apart },
    Flag { program: "--password-stdin", flags: &["echo", "echo -n", "printf", "printf %s"], form: Form::Apart },
    Flag { program: "chpasswd", flags: &["echo", "echo -n", "printf", "printf %s"], form: Form::Pair },
    Flag { program: "sudo -s", flags: &["echo", "echo -n", "printf", "printf %s"], form: Form::Apart },
    Flag { program: "convertto-securestring", flags: &["ConvertTo-SecureString", "-String"], form: Form::Apart },
    Flag { program: "influx", flags: &["-password"], form: Form::Apart },
    Flag { program: "vault login", flags: &["login"], form: Form::Apart },
    Flag {
        program: "gh secret set",
        flags: &["-b", "--body", "echo", "echo -n", "printf", "printf %s"],
        form: Form::Apart,
    },
    Flag { program: "--password-command", flags: &["echo", "echo -n", "printf", "printf %s"], form: Form::Apart },
    Flag { program: "mosquitto_", flags: &["-P", "--pw"], form: Form::Apart },
    Flag { program: "snmpwalk", flags: SNMP, form: Form::Apart },
    Flag { program: "snmpget", flags: SNMP, form: Form::Apart },
    Flag { program: "snmpset", flags: SNMP, form: Form::Apart },
    Flag { program: "snmpbulk", flags: SNMP, form: Form::Apart },
    Flag { program: "snmptrap", flags: SNMP, form: Form::Apart },
    Flag { program: "createuser ", flags: ALGORITHMS, form: Form::Apart },
    Flag { program: "mc alias set", flags: &["mc alias set"], form: Form::Behind(3) },
    Flag { program: "mc config host add", flags: &["mc config host add"], form: Form::Behind(3) },
    Flag { program: "rabbitmqctl", flags: &["add_user", "change_password"], form: Form::Behind(1) },
    Flag { program: "net use ", flags: &["net use"], form: Form::Share },
    // Configurations of HAProxy and Redis.
    Flag { program: "stats auth ", flags: &["stats auth"], form: Form::Pair },
    Flag { program: "+@all", flags: &[">"], form: Form::Attached },
    Flag { program: "+@read", flags: &[">"], form: Form::Attached },
    Flag { program: "+@write", flags: &[">"], form: Form::Attached },
    Flag { program: "allcommands", flags: &[">"], form: Form::Attached },
    Flag { program: "acl setuser", flags: &[">"], form: Form::Attached },
];

/// Flags of Net-SNMP's commands for the passwords of authentication and privacy.
const SNMP: &[&str] = &["-A", "-X"];

/// What stands before the passwords of `createUser` in snmpd.conf.
#[rustfmt::skip]
const ALGORITHMS: &[&str] = &[
    "MD5", "SHA", "SHA-224", "SHA-256", "SHA-384", "SHA-512", "DES", "AES", "AES-128", "AES-192", "AES-256",
];

/// Uses of one flag in a line that are looked at.
const MOST: usize = 256;

/// Programs, for the prefilter.
#[rustfmt::skip]
pub(super) const KEYWORDS: &[&str] = &[
    "curl ", "wget ", "http ", "sshpass", "mysql", "mariadb", "redis-cli", "docker login", "podman login",
    "oc login", "az login", "mongo", "ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami", "sqlcmd", "bcp ", "smbclient", "openssl ",
    "keytool", "jarsigner", "zip ", "7z ", "xfreerdp", "cadaver", "snowsql", "influx ",
    "--password-stdin", "chpasswd", "sudo -s", "convertto-securestring", "login(", "plainauth(", "getconnection(", "basic_auth ", "twilio(",
    "credentials.basic(", "connect(\"dbi:", "connect('dbi:", "->credentials(", "omniauth :", "provider :", "wifi.begin(",
    "new pdo(", "mysqli(", "mysqli_connect(", "mysql_connect(", "mysql_real_connect(", "ldap_bind(",
    "jwt.sign(", "jwt.verify(", "jwt.encode(", "jwt.decode(", "fernet(", "secretkeyspec(",
    "wandb.login(key=", "vault login", "gh secret set", "--password-command", "mosquitto_", "snmpwalk", "snmpget",
    "snmpset", "snmpbulk", "snmptrap", "createuser ", "mc alias set", "mc config host add", "rabbitmqctl", "net use ",
    "stats auth ", "+@all", "+@read", "+@write", "allcommands", "acl setuser",
];

/// Looks for the flags of the programs that a line names.
pub(super) fn run(look: &Look<'_>, out: &mut Vec<Detected>) {
    if look.bytes.len() > 8192 {
        return;
    }
    call::run(look, out);
    for flag in FLAGS {
        let named = look.hits.iter().any(|&hit| starts(&look.bytes[hit..], flag.program));
        if !named {
            continue;
        }
        for name in flag.flags {
            // A line may hold several commands: `curl -u a:x …; curl -u b:y …`.
            let bundled = if flag.program == "curl" && *name == "-u" { bundles(look.bytes) } else { Vec::new() };
            let alone = uses(look.bytes, name).map(|at| at..at + name.len());
            for written in alone.chain(bundled) {
                let found = of_flag(look.bytes, written, flag.form);
                out.extend(found.filter(|found| !out.iter().any(|other| other.secret == found.secret)));
            }
        }
    }
}

fn starts(text: &[u8], word: &str) -> bool {
    text.len() >= word.len() && text[..word.len()].eq_ignore_ascii_case(word.as_bytes())
}

/// Where a flag begins, ascending; no more than a line has room for and a reader for patience.
fn uses<'l>(line: &'l [u8], flag: &str) -> impl Iterator<Item = usize> + use<'l> {
    let begins = move |at: &usize| *at == 0 || matches!(line[*at - 1], b' ' | b'\t' | b'"' | b'\'' | b'(');
    let places: Vec<usize> = memchr::memmem::find_iter(line, flag.as_bytes()).filter(begins).take(MOST).collect();
    places.into_iter()
}

/// Where curl's `-u` stands behind other letters that take no value: `-su`, `-fsSLu`.
fn bundles(line: &[u8]) -> Vec<Range<usize>> {
    let begins = |at: &usize| *at > 0 && matches!(line[*at - 1], b' ' | b'\t') && line.get(*at + 1) != Some(&b'u');
    let places = memchr::memchr_iter(b'-', line).filter(begins).take(MOST);
    let ends = |at: usize| {
        let letters =
            line[at + 1..].iter().take(10).take_while(|byte| b"sSkLvfiIgGNjJlnpaqR0123460#".contains(byte)).count();
        (line.get(at + 1 + letters) == Some(&b'u')).then_some(at..at + 2 + letters)
    };
    places.filter_map(ends).collect()
}

/// What a flag is given, if it is a password; `written` is where the flag stands.
fn of_flag(line: &[u8], written: Range<usize>, form: Form) -> Option<Detected> {
    let (at, after) = (written.start, written.end);
    let start = match form {
        Form::Attached => after,
        _ => match line.get(after)? {
            b' ' | b'=' | b'\t' => after + 1,
            b'"' if line.get(after + 1) == Some(&b',') => {
                after + 2 + line[after + 2..].iter().take_while(|byte| **byte == b' ').count()
            }
            _ => return None,
        },
    };
    let mut secret = match form {
        Form::Behind(words) => arguments(line, start).nth(words)?,
        Form::Share => behind_share(line, start)?,
        _ => argument(line, start)?,
    };
    let separator = match form {
        Form::Pair => Some(b':'),
        Form::Percent => Some(b'%'),
        _ => None,
    };
    if let Some(separator) = separator {
        secret.start += line[secret.clone()].iter().position(|byte| *byte == separator)? + 1;
    } else if line[secret.clone()].starts_with(b"pass:") {
        secret.start += 5;
    }
    let text = &line[secret.clone()];
    let kept = text.len() >= 6
        && !text.starts_with(b"-")
        && !text.starts_with(b"$")
        && !text.contains(&b'/')
        && !text.starts_with(b"env:")
        && !is_typed_sample(text);
    let confidence = judge(Kind::Password, text).filter(|confidence| kept && *confidence >= Confidence::Medium)?;
    Some(Detected {
        rule: "generic-command-password",
        matched: at..secret.end,
        secret,
        confidence,
        severity: Severity::High,
    })
}

/// What follows the share's name among the arguments of `net use`.
fn behind_share(line: &[u8], start: usize) -> Option<Range<usize>> {
    let mut words = arguments(line, start).map(|word| (word.clone(), &line[word]));
    words.find(|(_, word)| word.starts_with(b"\\\\"))?;
    words.find(|(_, word)| !word.starts_with(b"/")).map(|(word, _)| word)
}

/// The words of a shell's line from `start` on.
fn arguments(line: &[u8], mut start: usize) -> impl Iterator<Item = Range<usize>> {
    std::iter::from_fn(move || {
        start += line.get(start..)?.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        let word = argument(line, start)?;
        start = word.end + usize::from(line.get(word.end).is_some_and(|byte| b"\"'".contains(byte)));
        Some(word)
    })
    .take(MOST)
}

/// A word of a shell's line, or what its quotes hold.
fn argument(line: &[u8], start: usize) -> Option<Range<usize>> {
    let quote = line.get(start).copied().filter(|byte| b"\"'".contains(byte));
    let start = start + usize::from(quote.is_some());
    let rest = line.get(start..)?;
    let length = match quote {
        Some(quote) => rest.iter().position(|byte| *byte == quote)?,
        None => {
            rest.iter().position(|byte| byte.is_ascii_whitespace() || b"\"'`|;>)&".contains(byte)).unwrap_or(rest.len())
        }
    };
    (length > 0).then_some(start..start + length)
}
