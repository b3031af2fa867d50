//! The lines that we put into a hook. Whatever else the hook does stays as it is.

use std::path::Path;

/// The hooks that can call us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// Scans what is staged.
    PreCommit,
    /// Scans the message.
    CommitMsg,
    /// Scans the commits that are about to leave.
    PrePush,
}

impl Kind {
    /// All of them, in the order in which they run.
    pub(crate) const ALL: [Self; 3] = [Self::PreCommit, Self::CommitMsg, Self::PrePush];

    /// Git's name of the hook, which is its file's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::PreCommit => "pre-commit",
            Self::CommitMsg => "commit-msg",
            Self::PrePush => "pre-push",
        }
    }

    /// Our arguments.
    pub(crate) fn arguments(self) -> &'static str {
        match self {
            Self::PreCommit => "scan --staged",
            Self::CommitMsg => "scan message \"$1\"",
            Self::PrePush => "scan pre-push \"$@\"",
        }
    }

    /// The call in shell. Git gives `pre-push` its refs on standard input, which the rest of the hook may want too.
    fn call(self) -> String {
        let run = self.arguments();
        match self {
            Self::PreCommit | Self::CommitMsg => format!("\"$plomb\" {run} || exit $?\n"),
            Self::PrePush => format!(
                "plomb_refs=$(cat)\nprintf '%s\\n' \"$plomb_refs\" | \"$plomb\" {run} || exit $?\n\
                 exec <<PLOMB_REFS\n$plomb_refs\nPLOMB_REFS\n"
            ),
        }
    }
}

const BEGIN: &str = "# plomb: begin (`plomb hook uninstall` takes this out again)\n";
const END: &str = "# plomb: end\n";

/// Our lines for `kind`; `program` is called where PATH has no `plomb`.
fn block(kind: Kind, program: &Path) -> String {
    let program = program.to_string_lossy().replace('\'', r"'\''");
    let missing = format!("plomb is not installed: the {} hook cannot scan", kind.name());
    format!(
        "{BEGIN}plomb=$(command -v plomb) || plomb='{program}'\n\
         [ -x \"$plomb\" ] || {{ echo 'error: {missing}' >&2; exit 1; }}\n{}{END}",
        kind.call()
    )
}

/// `hook` with our block behind its first line, an older block replaced. `None` for what is no shell script.
pub(crate) fn with_block(hook: Option<&str>, kind: Kind, program: &Path) -> Option<String> {
    let block = block(kind, program);
    let Some(hook) = hook else { return Some(format!("#!/bin/sh\n{block}")) };
    let hook = without_block(hook);
    // A hook without `#!` is run by the shell (husky's are like this).
    let (first, rest) = match hook.split_once('\n') {
        _ if !hook.starts_with("#!") => ("", hook.as_str()),
        Some((first, rest)) => (first, rest),
        None => (hook.as_str(), ""),
    };
    if !first.is_empty() && !is_shell(first) {
        return None;
    }
    let head = if first.is_empty() { String::new() } else { format!("{first}\n") };
    Some(format!("{head}{block}{rest}"))
}

/// `hook` without our block.
pub(crate) fn without_block(hook: &str) -> String {
    let Some(start) = hook.find(BEGIN) else { return hook.to_owned() };
    let Some(length) = hook[start..].find(END) else { return hook.to_owned() };
    format!("{}{}", &hook[..start], &hook[start + length + END.len()..])
}

fn is_shell(first: &str) -> bool {
    let words = first.trim_start_matches("#!").split_whitespace();
    let mut names = words.map(|word| word.rsplit('/').next().unwrap_or(word));
    names.any(|name| matches!(name, "sh" | "bash" | "dash" | "zsh" | "ksh" | "ash" | "busybox"))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Kind, with_block, without_block};

    #[test]
    fn the_rest_of_a_hook_stays() {
        let hook = "#!/usr/bin/env bash\nset -e\nmake lint\n";
        let ours = with_block(Some(hook), Kind::PreCommit, Path::new("/opt/it's/plomb")).unwrap();
        assert!(ours.starts_with("#!/usr/bin/env bash\n# plomb: begin"));
        assert!(ours.ends_with("# plomb: end\nset -e\nmake lint\n"));
        assert!(ours.contains(r"plomb='/opt/it'\''s/plomb'"));
        let again = with_block(Some(&ours), Kind::PreCommit, Path::new("/opt/it's/plomb")).unwrap();
        assert_eq!(again, ours);
        assert_eq!(without_block(&ours), hook);
    }

    #[test]
    fn other_languages_are_left_alone() {
        assert_eq!(with_block(Some("#!/usr/bin/env python3\nprint(1)\n"), Kind::PrePush, Path::new("p")), None);
        let husky = with_block(Some("npm test\n"), Kind::PreCommit, Path::new("p")).unwrap();
        assert!(husky.starts_with("# plomb: begin") && husky.ends_with("npm test\n"));
    }
}
