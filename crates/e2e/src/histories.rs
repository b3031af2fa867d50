//! Repositories in which gitleaks and we must find the same secrets, each one thing that Git can do.

use crate::archives::{gzip, tar, zip};
use testkit::{Dice, Repository, Scratch, token};

/// A repository and how it is built.
pub struct History {
    /// Its name, and the folder it is built in.
    pub name: &'static str,
    /// Writes files and commits.
    pub build: fn(&mut Repository<'_>, &mut Dice),
}

/// All of them.
pub const HISTORIES: [History; 18] = [
    History { name: "plain", build: plain },
    History { name: "edits", build: edits },
    History { name: "renames", build: renames },
    History { name: "deleted", build: deleted },
    History { name: "branches", build: branches },
    History { name: "merge-resolution", build: merge_resolution },
    History { name: "stash-and-notes", build: stash_and_notes },
    History { name: "encodings", build: encodings },
    History { name: "beside-escapes", build: beside_escapes },
    History { name: "odd-files", build: odd_files },
    History { name: "allowed", build: allowed },
    History { name: "key-in-pieces", build: key_in_pieces },
    History { name: "many-on-a-line", build: many_on_a_line },
    History { name: "moved-lines", build: moved_lines },
    History { name: "types-and-modes", build: types_and_modes },
    History { name: "across-hunks", build: across_hunks },
    History { name: "encoded-in-pieces", build: encoded_in_pieces },
    History { name: ARCHIVES, build: archives },
];

/// The history whose files are archives.
pub const ARCHIVES: &str = "archives";

/// Builds one, always the same.
pub fn build<'s>(history: &History, scratch: &'s Scratch) -> Repository<'s> {
    let seed = history.name.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31) + u64::from(byte));
    let mut repository = Repository::new(scratch, history.name);
    (history.build)(&mut repository, &mut Dice::new(seed));
    repository
}

fn plain(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("README.md", "# Nothing here\n").commit("First");
    repo.write("app/config.py", format!("DEBUG = True\nGITHUB_TOKEN = \"{}\"\n", token::github(dice)));
    repo.write("app/aws.ini", format!("[default]\naws_access_key_id = {}\n", token::aws_id(dice)));
    repo.commit("Configuration");
    repo.write("deploy/values.yaml", format!("slack:\n  token: {}\n", token::slack(dice)));
    repo.write("deploy/key.pem", token::private_key(dice));
    repo.write("lib/api.js", format!("const apiKey = '{}';\n", token::hex(dice, 32)));
    repo.commit("More\n\nwith a body\nof two lines");
}

fn edits(repo: &mut Repository<'_>, dice: &mut Dice) {
    let first = token::github(dice);
    repo.write("a.txt", format!("one\ntoken = {first}\nthree\n")).commit("Adds");
    repo.write("a.txt", "one\nthree\n").commit("Takes it out");
    repo.write("a.txt", format!("zero\none\ntwo\ntoken = {first}\nthree\n")).commit("Brings it back lower");
    repo.write("a.txt", format!("zero\none\ntwo\ntoken = {}\nthree\n", token::github(dice))).commit("Changes it");
    repo.write("a.txt", format!("zero\none\ntwo\ntoken = {first}\nthree\nfour\n")).commit("Changes it back");
}

fn renames(repo: &mut Repository<'_>, dice: &mut Dice) {
    let filler: String = (0..40).map(|line| format!("line {line} of a file that is renamed\n")).collect();
    repo.write("old.cfg", format!("{filler}key = {}\n", token::gitlab(dice))).commit("Before");
    repo.git(&["mv", "old.cfg", "new.cfg"]);
    repo.commit("A pure rename");
    repo.git(&["mv", "new.cfg", "newer.cfg"]);
    let text = std::fs::read_to_string(repo.root().join("newer.cfg")).expect("just moved there");
    repo.write("newer.cfg", format!("{text}other = {}\n", token::gitlab(dice))).commit("Rename and edit");
    repo.write("copy.cfg", text).commit("A copy");
}

fn deleted(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("gone/secret.env", format!("STRIPE_KEY={}\n", token::stripe(dice))).commit("Oops");
    std::fs::remove_dir_all(repo.root().join("gone")).expect("just written");
    repo.commit("Removed");
}

fn branches(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("a.txt", "base\n").commit("Base");
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.write("side.txt", format!("t: {}\n", token::github(dice))).commit("Side");
    repo.git(&["switch", "-q", "main"]);
    repo.write("main.txt", format!("t: {}\n", token::gitlab(dice))).commit("Main");
    repo.git(&["merge", "-q", "--no-ff", "-m", "Merge", "side"]);
    repo.git(&["switch", "-q", "-c", "never-merged"]);
    repo.write("lost.txt", format!("t: {}\n", token::slack(dice))).commit("Never merged");
    repo.git(&["switch", "-q", "main"]);
    repo.git(&["tag", "-a", "-m", "v1", "v1"]);
}

fn merge_resolution(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("a.txt", "base\n").commit("Base");
    repo.git(&["switch", "-q", "-c", "side"]);
    repo.write("a.txt", "side\n").commit("Side");
    repo.git(&["switch", "-q", "main"]);
    repo.write("a.txt", "main\n").commit("Main");
    repo.try_git(&["merge", "-q", "side"]);
    repo.write("a.txt", format!("both\ntoken = {}\n", token::github(dice))).commit("Merge with more than both");
}

fn stash_and_notes(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("a.txt", "a\n").commit("One");
    repo.git(&["notes", "add", "-m", &format!("see {}", token::gitlab(dice))]);
    repo.write("staged.txt", format!("t = {}\n", token::github(dice))).stage();
    repo.write("a.txt", format!("a\nnot staged {}\n", token::slack(dice)));
    repo.git(&["stash", "-q"]);
}

fn encodings(repo: &mut Repository<'_>, dice: &mut Dice) {
    let mut text = String::new();
    for number in 0..3 {
        let plain = format!("secret_token = \"{}\"", token::github(dice));
        text += &format!("b{number} = \"{}\"\n", base64(plain.as_bytes()));
        let hex: String = token::gitlab(dice).bytes().map(|byte| format!("{byte:02x}")).collect();
        text += &format!("h{number} = {hex}\n");
        let percent: String = token::aws_id(dice).bytes().map(|byte| format!("%{byte:02X}")).collect();
        text += &format!("p{number} = {percent}\n");
        let unicode: String = token::stripe(dice).bytes().map(|byte| format!("\\u{byte:04x}")).collect();
        text += &format!("u{number} = \"{unicode}\"\n");
    }
    let twice = base64(base64(format!("x = {}", token::github(dice)).as_bytes()).as_bytes());
    repo.write("encoded.txt", format!("{text}twice = \"{twice}\"\n")).commit("Encoded");
}

/// Tokens in clear that begin or end where an escape does.
fn beside_escapes(repo: &mut Repository<'_>, dice: &mut Dice) {
    for (number, line) in [
        "a=b%3D@",
        "GET /cb?next=%2Fapi%3Fx%3D@ HTTP/1.1",
        "Authorization%3A%20Bearer%20@",
        "x=%7B%22a%22%3A%22@%22%7D",
        "a=@%26b",
        "x = \\u003d@",
        "x = @\\u0026y",
        "%0A@",
        "%253D@",
    ]
    .iter()
    .enumerate()
    {
        let tokens = [token::stripe(dice), token::github(dice), token::gitlab(dice)];
        let text: String = tokens.iter().map(|token| format!("{}\n", line.replace('@', token))).collect();
        repo.write(&format!("escapes/{number}"), format!("first\n{text}last\n")).commit("Escaped");
    }
}

fn odd_files(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("crlf.txt", format!("one\r\ntoken = {}\r\nthree\r\n", token::github(dice)));
    repo.write("no newline.txt", format!("token = {}", token::github(dice)));
    repo.write("ünï cödé.txt", format!("token = {}\n", token::github(dice)));
    repo.write("empty.txt", "");
    repo.write("latin1.txt", [b"caf\xe9\ntoken = ", token::github(dice).as_bytes(), b"\n"].concat());
    repo.write("deep/er/and/deeper.txt", format!("\n\n\n\ttoken:\t{}\n", token::github(dice)));
    repo.commit("Odd");
    repo.write("no newline.txt", format!("first\ntoken = {}\nlast", token::github(dice))).commit("Still none");
}

fn allowed(repo: &mut Repository<'_>, dice: &mut Dice) {
    repo.write("a.txt", format!("t = {} # gitleaks:allow\nu = {}\n", token::github(dice), token::github(dice)));
    repo.write("node_modules/x/index.js", format!("const t = '{}';\n", token::github(dice)));
    repo.write("go.sum", format!("example.org v1 h1:{}\n", token::github(dice)));
    repo.commit("Some of it is allowed");
}

fn key_in_pieces(repo: &mut Repository<'_>, dice: &mut Dice) {
    let key = token::private_key(dice);
    repo.write("key.pem", &key).commit("The key");
    repo.write("both.txt", format!("before\n{key}between\n{}after\n", token::private_key(dice))).commit("Two keys");
}

fn many_on_a_line(repo: &mut Repository<'_>, dice: &mut Dice) {
    let line = format!("{} {} {}\n", token::github(dice), token::gitlab(dice), token::github(dice));
    repo.write("line.txt", format!("start\n{line}{line}")).commit("A crowd");
}

fn moved_lines(repo: &mut Repository<'_>, dice: &mut Dice) {
    let lines: Vec<String> = (0..12).map(|number| format!("k{number} = {}\n", token::github(dice))).collect();
    repo.write("keys.txt", lines.concat()).commit("Twelve");
    let turned: Vec<&str> = lines[6..].iter().chain(&lines[..6]).map(String::as_str).collect();
    repo.write("keys.txt", turned.concat()).commit("Turned round");
    repo.write("other.txt", turned[..4].concat()).commit("Copied");
}

fn types_and_modes(repo: &mut Repository<'_>, dice: &mut Dice) {
    let text = format!("#!/bin/sh\nTOKEN={}\n", token::github(dice));
    repo.write("run.sh", &text).commit("A script");
    repo.git(&["update-index", "--chmod=+x", "run.sh"]);
    repo.git(&["commit", "-q", "-m", "Executable"]);
    repo.write("binary.dat", [b"\0\0\x01", text.as_bytes()].concat()).commit("A binary");
    std::fs::remove_file(repo.root().join("run.sh")).expect("just written or removed");
    std::os::unix::fs::symlink("binary.dat", repo.root().join("run.sh")).expect("just written or removed");
    repo.commit("A link now");
}

/// A rule that spans lines begins before the lines that were added, and its match there takes the place of theirs.
fn across_hunks(repo: &mut Repository<'_>, dice: &mut Dice) {
    let call = |dice: &mut Dice| format!("curl -u 'deploy:{}' https://api.acme.test/x\n", token::hex(dice, 24));
    let head = "#!/bin/sh\ncurl -s \\\n  https://api.acme.test/health\n";
    repo.write("run.sh", format!("{head}echo one\necho two\n")).commit("A script");
    repo.write("run.sh", format!("{head}{}echo two\n", call(dice))).commit("A call below another");
    repo.write("run.sh", format!("{head}{}echo between\n{}echo two\n", call(dice), call(dice))).commit("Two");
    let text = std::fs::read_to_string(repo.root().join("run.sh")).expect("just written");
    repo.write("run.sh", format!("{text}{}", call(dice))).commit("One more at the end");
    let key = token::private_key(dice);
    let (first, rest) = key.split_at(key.len() / 2);
    repo.write("pem.txt", format!("{first}\n")).commit("Half a key");
    repo.write("pem.txt", format!("{first}\n{rest}\n{}", token::private_key(dice)))
        .commit("The other half, and one more");
    // With the line above, the setting is the value of another name, and one that an allowlist drops.
    repo.write("conf.ini", "api_key =\n[x]\n").commit("An empty value");
    let value = token::hex(dice, 40);
    repo.write("conf.ini", format!("api_key =\nclient_token={value}\n[x]\n")).commit("A setting below");
}

/// Encoded text of which a part is encoded once more, and such text on neighbouring lines.
fn encoded_in_pieces(repo: &mut Repository<'_>, dice: &mut Dice) {
    let mut text = String::new();
    for number in 0..4 {
        let encoded = base64(format!("token{number} = \"{}\"", token::github(dice)).as_bytes());
        let at = 12 + number * 5;
        let (head, tail) = encoded.split_at(at);
        text += &format!("v{number} = {head}%{:02X}{}\n", tail.as_bytes()[0], &tail[1..]);
    }
    repo.write("pieces.txt", format!("first\n{text}last\n")).commit("Percent within base64");
    let more: String = text.lines().map(|line| format!("{line}\n# and\n")).collect();
    repo.write("pieces.txt", format!("first\n{more}last\n")).commit("Lines between");
}

fn archives(repo: &mut Repository<'_>, dice: &mut Dice) {
    let env = |dice: &mut Dice| format!("A=1\nGITHUB_TOKEN={}\n", token::github(dice)).into_bytes();
    let inner = zip(&[("deep/app.env", &env(dice)), ("readme.txt", b"nothing\n")]);
    repo.write("backup.zip", zip(&[("app.env", &env(dice)), ("b/c.env", &env(dice))]));
    repo.write("backup.tar", tar(&[("x/app.env", &env(dice)), ("inner.zip", &inner)]));
    repo.write("backup.tar.gz", gzip(&tar(&[("y/app.env", &env(dice))])));
    repo.write("notes.txt.gz", gzip(&env(dice))).commit("Archives");
    repo.write("backup.zip", zip(&[("app.env", &env(dice)), ("d.env", &env(dice))])).commit("A newer one");
}

/// Standard base64 with padding.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let bits = (0..3).fold(0_u32, |bits, index| bits << 8 | u32::from(*chunk.get(index).unwrap_or(&0)));
        for index in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * index)) as usize & 63];
            out.push(if index > chunk.len() { '=' } else { char::from(digit) });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_padded() {
        assert_eq!((base64(b"a"), base64(b"ab"), base64(b"abc")), ("YQ==".into(), "YWI=".into(), "YWJj".into()));
    }
}
