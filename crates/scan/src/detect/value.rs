//! Finds the value that belongs to a name, behind all the signs that languages put between the two.

use std::borrow::Cow;
use std::ops::Range;

mod carrier;
mod member;

pub(super) use member::is_host;

use super::place::Manner;
use crate::classify::random::is_random;
use crate::work;

/// Longest value, in bytes.
const LONGEST: usize = 1024;

/// Literals that are joined to one value.
const MOST_PARTS: usize = 8;

/// A value beside a name.
#[derive(Clone, Debug)]
pub(super) struct Value {
    /// Where it lies in the line, without quotes.
    pub range: Range<usize>,
    /// Whether it stood in quotes or between tags.
    pub quoted: bool,
    /// Whether it is several literals, with quotes and signs between them.
    pub joined: bool,
}

impl Value {
    /// One literal, or what stands without quotes.
    pub(super) fn one(range: Range<usize>, quoted: bool) -> Self {
        Self { range, quoted, joined: false }
    }

    /// The value itself.
    pub(super) fn text<'l>(&self, line: &'l [u8]) -> Cow<'l, [u8]> {
        let text = &line[self.range.clone()];
        if !self.joined {
            return Cow::Borrowed(text);
        }
        let quote = line[self.range.end];
        Cow::Owned(text.split(|byte| *byte == quote).step_by(2).flatten().copied().collect())
    }
}

/// What stands between a name and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    /// `=`, `:`, `=>`, `:=`, `==`, `value=`.
    Assign,
    /// A comma or an opening parenthesis: only a quoted value can follow.
    Argument,
    /// A space: a flag's value, or a configuration's.
    Space,
    /// The end of a tag.
    Tag,
}

/// The value after the name at `name`, if one follows.
pub(super) fn after(line: &[u8], name: &Range<usize>, manner: Manner) -> Option<Value> {
    after_up_to(line, name, manner, LONGEST)
}

/// The same; of one without quotes among other things on its line no more than `most` bytes.
pub(super) fn after_up_to(line: &[u8], name: &Range<usize>, manner: Manner, most: usize) -> Option<Value> {
    let (at, name_quoted) = closers(line, name);
    let (sign, at) = sign(line, name, at, name_quoted, manner)?;
    if manner == Manner::Make && is_target(line, name, at) {
        return None;
    }
    if sign == Sign::Tag {
        return element(line, at);
    }
    let start = skip_spaces(line, at);
    let Some((at, wrapped)) = carrier::inside(line, start) else {
        return member::default(line, start, sign == Sign::Argument);
    };
    if let Some(value) = quoted(line, at) {
        // Another name of the same flag: `("--password", "-p", default="x")`.
        if sign == Sign::Argument && line[value.range.clone()].starts_with(b"-") {
            return member::default(line, value.range.end + 1, true);
        }
        let value = joined(line, value);
        return if wrapped { member::of_object(line, at, &value).or(Some(value)) } else { Some(value) };
    }
    match sign {
        Sign::Assign if !wrapped && manner == Manner::Plain => bare(line, name, at, manner, most),
        Sign::Assign if !wrapped => bare(line, name, at, manner, most).or_else(|| member::default(line, start, false)),
        Sign::Space if !wrapped => bare(line, name, at, Manner::Plain, most),
        _ => member::default(line, start, sign == Sign::Argument),
    }
}

/// Whether a name is a target of a Makefile, and what follows its prerequisites.
fn is_target(line: &[u8], name: &Range<usize>, at: usize) -> bool {
    let colon = line[name.end..at].trim_ascii() == b":";
    colon && !line.starts_with(b"\t") && !line[..name.start].contains(&b'"') && !line[..name.start].contains(&b'#')
}

/// Literals that one value is joined of: `'x' + 'y'`, `"x" . "y"`.
fn joined(line: &[u8], first: Value) -> Value {
    let Some(quote) = line.get(first.range.end).copied().filter(|byte| b"\"'`".contains(byte)) else { return first };
    let opened = first.range.start.checked_sub(1).is_some_and(|at| line[at] == quote);
    let Range { start, mut end } = first.range.clone();
    let mut parts = 1;
    while opened && parts < MOST_PARTS {
        let sign = skip_spaces(line, end + 1);
        let signs = line[sign..].iter().take(2).take_while(|byte| b"+.&".contains(byte)).count();
        let open = skip_spaces(line, sign + signs);
        if signs == 0 || line.get(open) != Some(&quote) {
            break;
        }
        let rest = &line[open + 1..line.len().min(open + 1 + LONGEST)];
        let Some(length) = memchr::memchr(quote, rest) else { break };
        end = open + 1 + length;
        parts += 1;
    }
    match parts > 1 && !line[start..end].contains(&b'\\') {
        true => Value { range: start..end, quoted: true, joined: true },
        false => first,
    }
}

/// The second argument of a call such as `BasicAuth("user", "x")`, or of a pair such as `auth = ("user", "x")`.
pub(super) fn second(line: &[u8], end: usize) -> Option<Value> {
    let mut at = skip_spaces(line, end);
    if line.get(at) == Some(&b'=') {
        at = skip_spaces(line, at + 1);
    }
    if line.get(at) != Some(&b'(') {
        return None;
    }
    let user = quoted(line, skip_spaces(line, at + 1))?;
    let comma = skip_spaces(line, user.range.end + 1);
    (line.get(comma) == Some(&b',')).then(|| quoted(line, skip_spaces(line, comma + 1)))?
}

/// The value before a name: Swift's `setValue("x", forHTTPHeaderField: "X-Api-Key")`, `value="x" key="ApiKey"` of XML,
/// `"value": "x", "name": "API_KEY"` of JSON.
pub(super) fn before(line: &[u8], name: &Range<usize>) -> Option<Value> {
    let head = line[..name.start].strip_suffix(b"\"")?.trim_ascii_end();
    let ends = |labels: &[&[u8]]| labels.iter().find_map(|label| head.strip_suffix(*label));
    let call =
        ends(&[b"forHTTPHeaderField:", b"forKey:", b"key:"]).and_then(|text| text.trim_ascii_end().strip_suffix(b","));
    let member = || ends(&[b"\"name\":", b"\"key\":"]).and_then(|text| text.trim_ascii_end().strip_suffix(b","));
    let attribute = || ends(&[b" key=", b" name="]);
    let (text, labels) = match call {
        Some(text) => (text, &[][..]),
        None => (member().or_else(attribute)?, &[&b"value="[..], b"\"value\":"][..]),
    };
    let text = text.trim_ascii_end().strip_suffix(b"\"")?;
    let open = memchr::memrchr(b'"', &text[text.len().saturating_sub(LONGEST)..])?;
    let start = text.len() - text.len().min(LONGEST) + open + 1;
    let label = text[..start - 1].trim_ascii_end();
    let labelled = labels.is_empty() || labels.iter().any(|known| label.ends_with(known));
    (start < text.len() && labelled).then_some(Value::one(start..text.len(), true))
}

/// Skips quotes and brackets that end a name; says whether a quote was among them.
fn closers(line: &[u8], name: &Range<usize>) -> (usize, bool) {
    let run = line[name.end..].iter().take(4).take_while(|byte| b"\"'`])\\*?!".contains(byte)).count();
    let quoted = line[name.end..name.end + run].iter().any(|byte| b"\"'`".contains(byte));
    let at = name.end + run;
    (at + subscript(line, name, at), quoted)
}

/// How long what makes a name one of an array or of a map's entry is: `name[] =` and `name[33] =` of C (one digit counts
/// elements of a list), the brace of Perl's `$ENV{NAME} =`.
fn subscript(line: &[u8], name: &Range<usize>, at: usize) -> usize {
    let rest = &line[at..];
    match rest.first() {
        Some(b'[') => {
            let digits = rest[1..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
            if digits != 1 && rest.get(1 + digits) == Some(&b']') { digits + 2 } else { 0 }
        }
        Some(b'}') => {
            let before = line[..name.start].strip_suffix(b"'").or(line[..name.start].strip_suffix(b"\""));
            let owner = before.unwrap_or(&line[..name.start]).strip_suffix(b"{").and_then(<[u8]>::last);
            usize::from(owner.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'>'))
        }
        _ => 0,
    }
}

fn skip_spaces(line: &[u8], at: usize) -> usize {
    at + line[at..].iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn starts(line: &[u8], at: usize, text: &str) -> bool {
    line.len() >= at + text.len() && line[at..at + text.len()].eq_ignore_ascii_case(text.as_bytes())
}

/// Reads the sign, and where it ends.
fn sign(line: &[u8], name: &Range<usize>, at: usize, name_quoted: bool, manner: Manner) -> Option<(Sign, usize)> {
    let spaced = skip_spaces(line, at);
    let next = *line.get(spaced)?;
    for operator in [
        "===", "!==", ":::=", "::=", ":=", ":-", "=>", "==", "!=", "?=", "||=", "??=", "??", "||", "?:", "->", "<-",
        "=",
    ] {
        if starts(line, spaced, operator) {
            return Some((Sign::Assign, spaced + operator.len()));
        }
    }
    match next {
        b':' if line.get(spaced + 1) == Some(&b':') => None,
        b':' => Some((Sign::Assign, typed(line, spaced + 1))),
        b'>' if spaced == at => Some((Sign::Tag, spaced + 1)),
        b',' if name_quoted || in_tuple(line, name, spaced) || starts(line, spaced, ",<<\"") => {
            Some((Sign::Argument, spaced + 1))
        }
        b'(' if !is_getter(&line[name.clone()]) => Some((Sign::Argument, spaced + 1)),
        b'|' => Some((Sign::Space, spaced + 1)),
        b'{' if starts(line, spaced, "{\"") || starts(line, spaced, "{ get") => property(line, spaced),
        _ if spaced > at => words(line, name, spaced, name_quoted, manner),
        _ => None,
    }
}

/// Erlang's `{name, "x"}` and `name, <<"x"`.
fn in_tuple(line: &[u8], name: &Range<usize>, comma: usize) -> bool {
    starts(line, comma, ", <<\"") || line[..name.start].ends_with(b"{") && starts(line, comma, ", \"")
}

/// `name{"x"}` of C++, `Name { get; set; } = "x"` of C#.
fn property(line: &[u8], at: usize) -> Option<(Sign, usize)> {
    if line.get(at + 1) == Some(&b'"') {
        return Some((Sign::Argument, at + 1));
    }
    let close = at + line[at..].iter().take(60).position(|byte| *byte == b'}')?;
    let sign = skip_spaces(line, close + 1);
    (line.get(sign) == Some(&b'=')).then_some((Sign::Assign, sign + 1))
}

/// Go's `name string = `.
fn go_type(line: &[u8], at: usize) -> Option<usize> {
    let letters =
        line[at..].iter().take(24).take_while(|byte| byte.is_ascii_alphanumeric() || b"*[]._".contains(byte)).count();
    let sign = skip_spaces(line, at + letters);
    let assigns = line.get(sign) == Some(&b'=') && line.get(sign + 1) != Some(&b'=');
    (letters > 0 && sign > at + letters && assigns).then_some(sign + 1)
}

/// Skips a type annotation: `: &str = `, `: Option<String> = `, and YAML's `!!str` and `&anchor`.
fn typed(line: &[u8], at: usize) -> usize {
    let start = skip_spaces(line, at);
    if let Some(end) = anchor(line, start) {
        return end;
    }
    if starts(line, start, "!!") {
        return start + line[start..].iter().take_while(|byte| **byte != b' ').count();
    }
    if line.get(start).is_some_and(|byte| b"\"'`".contains(byte)) {
        return at;
    }
    let letters = line[start..]
        .iter()
        .take(60)
        .take_while(|byte| byte.is_ascii_alphanumeric() || b"_&<>[]:'?.| *".contains(byte))
        .count();
    match line.get(start + letters) {
        Some(b'=') if letters > 0 && is_type(line, start..start + letters) => start + letters + 1,
        _ => at,
    }
}

/// Where an anchor of YAML ends that a value follows; Rust's `&str = ` is none.
fn anchor(line: &[u8], start: usize) -> Option<usize> {
    let rest = line.get(start..)?.strip_prefix(b"&")?;
    let name = rest.iter().take(60).take_while(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte)).count();
    let value = skip_spaces(line, start + 1 + name);
    let follows = rest.get(name) == Some(&b' ') && line.get(value).is_some_and(|byte| *byte != b'=');
    (name > 0 && follows).then_some(value)
}

/// Whether what stands between a colon and an equals sign is a type, and not base64 whose padding the sign is.
fn is_type(line: &[u8], text: Range<usize>) -> bool {
    let rest = &line[text.end + 1..];
    let ends = match rest.first() {
        None | Some(b'=' | b',' | b';' | b'}' | b']' | b')' | b'\r') => true,
        Some(b'\\') => rest.get(1).is_none_or(u8::is_ascii_alphabetic),
        Some(quote @ (b'"' | b'\'' | b'`')) => !rest[1..].contains(quote) || is_random(&line[text]),
        Some(b' ' | b'\t') => matches!(rest.trim_ascii_start().first(), None | Some(b'#')),
        Some(_) => false,
    };
    !ends
}

/// Names of functions whose argument is where a value is looked up, not the value.
fn is_getter(name: &[u8]) -> bool {
    let lower = name.to_ascii_lowercase();
    [
        "get", "fetch", "read", "load", "find", "lookup", "has", "is", "parse", "from", "t", "env", "validate",
        "verify", "check", "expect", "require", "resolve", "assert",
    ]
    .iter()
    .any(|word| {
        lower.rsplit(|byte| *byte == b'.').next().unwrap_or(&lower).starts_with(word.as_bytes())
            && lower.len() > word.len()
    })
}

/// Words and spaces that stand for a sign: `value="x"`, "set `X` to `Y`", `--token x`, `ENV X y`, `PASSWORD 'x'`.
fn words(line: &[u8], name: &Range<usize>, at: usize, name_quoted: bool, manner: Manner) -> Option<(Sign, usize)> {
    for attribute in ["value", "default", "content", "data"] {
        let end = skip_spaces(line, at + attribute.len().min(line.len() - at));
        if starts(line, at, attribute) && line.get(end) == Some(&b'=') {
            return Some((Sign::Assign, end + 1));
        }
    }
    for word in ["to ", "is ", "as ", "by ", "of ", "with ", "equals ", "eq ", "= "] {
        let next = at + word.len();
        if (name_quoted || word == "by ")
            && starts(line, at, word)
            && line.get(next).is_some_and(|byte| b"\"'`".contains(byte))
            || word == "is " && starts(line, at, "is `")
        {
            return Some((Sign::Argument, next));
        }
    }
    if let Some(after) = go_type(line, at) {
        return Some((Sign::Assign, after));
    }
    let before = &line[..name.start];
    if let Some(found) = idiom(line, at).or_else(|| set_for(line, before, at)).or_else(|| told_for(line, name, at)) {
        return Some(found);
    }
    let flag = line[name.start] == b'-' || before.ends_with(b"-");
    let plain_start =
        before.iter().take(LONGEST).all(|byte| matches!(byte, b' ' | b'\t')) && manner == Manner::Plain && !name_quoted;
    let docker =
        ["ENV ", "ARG ", "#define ", "set ", "setx ", "setenv ", "SetEnv ", "fastcgi_param "].iter().any(|word| {
            before.trim_ascii_start().starts_with(word.as_bytes()) && before.trim_ascii().len() + 1 == word.len()
        });
    let configured = is_configured(before) || line[name.clone()].eq_ignore_ascii_case(b"insecure-password");
    let one_word =
        line[at..line.len().min(at + LONGEST)].trim_ascii_end().iter().all(|byte| !matches!(byte, b' ' | b'\t'));
    let defined = [&b"def"[..], b"defonce", b"def ^:private", b"_header", b"Header set"]
        .iter()
        .any(|word| before.trim_ascii_end().ends_with(word));
    // Such a sign belongs to the name: `:password "x"`. Prose has a space behind its colon.
    let defined = defined || before.ends_with(b":") || before.ends_with(b"@");
    // Groovy's `keyPassword "x"` fills its line.
    let filled = before.trim_ascii().is_empty() && line[at + 1..].trim_ascii_end().ends_with(b"\"");
    let sql = line.get(at) == Some(&b'\'') || (defined || filled) && line.get(at) == Some(&b'"');
    // Prose: user `ops`, password `x`.
    let told = line.get(at) == Some(&b'`') && manner != Manner::Code && ends_in_password(&line[name.clone()]);
    let sql = sql || told || is_closed_statement(line, before, at);
    match flag || docker || configured || plain_start && one_word {
        true => Some((Sign::Space, at)),
        false => sql.then_some((Sign::Argument, at)),
    }
}

/// Whether a name is what a command sets: `npm config set //host/:_authToken x`, `pulumi config set dbPassword x`.
fn is_configured(before: &[u8]) -> bool {
    let near = &before[before.len().saturating_sub(160)..];
    let word = near.iter().rposition(|byte| *byte == b' ').map_or(&near[..0], |blank| &near[..blank]);
    let sets = [&b" config set"[..], b" config set --secret", b" configure set", b"npm set"];
    sets.iter().any(|command| word.ends_with(command)) && !word.ends_with(b"git config set")
}

/// Whether a name is of one of several statements on a line: `{ algorithm x; secret "y"; }` of BIND.
fn is_closed_statement(line: &[u8], before: &[u8], at: usize) -> bool {
    let opened = matches!(before.trim_ascii_end().last(), Some(b'{' | b';')) && line.get(at) == Some(&b'"');
    opened && quoted(line, at).is_some_and(|value| line.get(value.range.end + 1) == Some(&b';'))
}

fn ends_in_password(name: &[u8]) -> bool {
    let word = b"password";
    name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// `As String =` of Visual Basic, `-Value "x"` of PowerShell, `by lazy { "x" }` of Kotlin.
fn idiom(line: &[u8], at: usize) -> Option<(Sign, usize)> {
    if starts(line, at, "as ") {
        return go_type(line, at + 3).map(|after| (Sign::Argument, after));
    }
    if starts(line, at, "-value ") {
        return Some((Sign::Argument, at + 7));
    }
    let brace = at + "by lazy ".len();
    (starts(line, at, "by lazy ") && line.get(brace) == Some(&b'{')).then_some((Sign::Argument, brace + 1))
}

/// Prose: "the password for the printer: x".
fn told_for(line: &[u8], name: &Range<usize>, at: usize) -> Option<(Sign, usize)> {
    let told = starts(line, at, "for ")
        && (line[name.clone()].eq_ignore_ascii_case(b"pw") || ends_in_password(&line[name.clone()]));
    let near = line.get(at..line.len().min(at + 60)).filter(|_| told)?;
    let words = near.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b" _-".contains(byte)).count();
    near[words..].starts_with(b": ").then_some((Sign::Space, at + words + 1))
}

/// `SET PASSWORD FOR x = ` of SQL.
fn set_for(line: &[u8], before: &[u8], at: usize) -> Option<(Sign, usize)> {
    let sets = before.len() >= 4 && before[before.len() - 4..].eq_ignore_ascii_case(b"set ");
    let near = line.get(at..line.len().min(at + 120)).filter(|_| sets && starts(line, at, "for "))?;
    memchr::memchr(b'=', near).map(|sign| (Sign::Argument, at + sign + 1))
}

/// Lua's `[[x]]`, which is no list of lists.
fn is_long_bracket(rest: &[u8]) -> bool {
    rest.starts_with(b"[[") && rest.get(2).is_some_and(|byte| !b"\"'`[{( \t".contains(byte))
}

/// Text in quotes, plain, tripled or escaped.
fn quoted(line: &[u8], at: usize) -> Option<Value> {
    let rest = line.get(at..)?;
    for mark in ["\"\"\"", "'''", "\\\\\"", "\\\"", "\\'", "&quot;", "\"", "'", "`", "<![CDATA[", "[["] {
        if !rest.starts_with(mark.as_bytes()) || mark == "[[" && !is_long_bracket(rest) {
            continue;
        }
        let start = at + mark.len();
        let end = start + closing(&line[start..], mark)?;
        return (end > start).then_some(Value::one(start..end, true));
    }
    None
}

/// Where the text ends that `mark` opened.
fn closing(rest: &[u8], mark: &str) -> Option<usize> {
    let close = match mark {
        "<![CDATA[" => "]]>",
        "[[" => "]]",
        _ => mark,
    };
    let mut at = 0;
    while at < rest.len().min(LONGEST) {
        if rest[at..].starts_with(close.as_bytes()) {
            return Some(at);
        }
        at += if rest[at] == b'\\' && mark.len() == 1 && mark != "`" { 2 } else { 1 };
    }
    None
}

/// `<password>x</password>`, `<entry key="password">x</entry>`.
fn element(line: &[u8], at: usize) -> Option<Value> {
    let start = skip_spaces(line, at);
    if line[start..].starts_with(b"<![CDATA[") {
        return quoted(line, start);
    }
    let start = match line[start..].starts_with(b"<string>") || starts(line, start, "<value>") {
        true => start + line[start..].iter().position(|byte| *byte == b'>')? + 1,
        false => start,
    };
    let length = line[start..].iter().take(LONGEST).position(|byte| *byte == b'<')?;
    let text = line[start..start + length].trim_ascii_end().len();
    (text > 0 && line[start + length..].starts_with(b"</")).then_some(Value::one(start..start + text, true))
}

/// What ends a value without quotes that does not go to the end of its line. A table: such values may be long, and begin
/// every few bytes.
const ENDS_BARE: [bool; 256] = {
    let mut table = [false; 256];
    let mut ends = b" \t\"'`;&,<>|)]}\\".as_slice();
    while let [byte, rest @ ..] = ends {
        table[*byte as usize] = true;
        ends = rest;
    }
    table
};

/// A value without quotes: to the end of the line where the name begins it, else to the next sign.
fn bare(line: &[u8], name: &Range<usize>, at: usize, manner: Manner, most: usize) -> Option<Value> {
    let before = &line[name.start.saturating_sub(2 * LONGEST)..name.start];
    let inside = [b'"', b'\'', b'`'].iter().any(|quote| quotes(before, *quote) % 2 == 1);
    if line.get(at).is_some_and(|byte| b"[{(".contains(byte)) {
        return None;
    }
    let parameter = before.last().is_some_and(|byte| b"?&;".contains(byte));
    let adjacent = line[name.end] == b'=' && line.get(name.end + 1).is_some_and(|byte| *byte != b'=');
    // A shell's line in a document or in a program's text is no expression.
    let exported = before.trim_ascii() == b"export";
    // Nor is what a message in quotes tells: "use api_key: x for now".
    let led = before.last().is_some_and(|byte| b" \"'`".contains(byte));
    let told = inside && led && line[name.end..].starts_with(b": ");
    if manner == Manner::Code && !((inside || parameter || exported) && adjacent || told) {
        return None;
    }
    let leads = !inside && leads(before);
    let rest = &line[at..line.len().min(at + LONGEST)];
    let tight = line[name.end] == b'=' && at == name.end + 1;
    let length = match leads {
        true if tight => {
            whole_rest(&rest[..rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len())])
        }
        true => whole_rest(rest),
        false => {
            let rest = &rest[..rest.len().min(most)];
            rest.iter().position(|byte| ENDS_BARE[usize::from(*byte)]).unwrap_or(rest.len())
        }
    };
    work::count(length);
    (length > 0).then_some(Value::one(at..at + length, false))
}

/// How many of a quote stand in a text, those with a backslash not counted.
fn quotes(text: &[u8], quote: u8) -> usize {
    memchr::memchr_iter(quote, text).filter(|&at| at == 0 || text[at - 1] != b'\\').count()
}

/// Whether nothing but what may stand before a setting stands before the name.
fn leads(before: &[u8]) -> bool {
    let text = before.trim_ascii();
    text.is_empty()
        || [
            "export",
            "override",
            "ENV",
            "ARG",
            "set",
            "declare",
            "local",
            "readonly",
            "-",
            "-e",
            "--env",
            "setenv",
            "#",
            "//",
            "- -e",
            "?",
            "declare -x",
            "$env:",
        ]
        .iter()
        .any(|word| text == word.as_bytes())
}

/// The rest of a line without a comment, a closing semicolon or a line break's sign.
fn whole_rest(rest: &[u8]) -> usize {
    let comment = rest.windows(2).position(|pair| matches!(pair, [b' ' | b'\t', b'#' | b';'])).unwrap_or(rest.len());
    let text = rest[..comment].trim_ascii_end();
    let text = text.strip_suffix(b"\\").unwrap_or(text).trim_ascii_end();
    let text = text.strip_suffix(b";").or(text.strip_suffix(b",")).unwrap_or(text);
    first_of_several(text).unwrap_or(text.len())
}

/// Where a value ends that more follows which is none of it: `x, user: bob`, `x (staging)`.
fn first_of_several(text: &[u8]) -> Option<usize> {
    let space = memchr::memchr(b' ', text)?;
    let (first, more) = (&text[..space], text[space..].trim_ascii_start());
    let name = more.iter().take_while(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(byte)).count();
    match first.strip_suffix(b",") {
        Some(first) => (name > 0 && matches!(more.get(name), Some(b':' | b'='))).then_some(first.len()),
        None => (more.starts_with(b"(") && more.ends_with(b")")).then_some(space),
    }
}
