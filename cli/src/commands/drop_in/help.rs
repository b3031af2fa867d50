//! Help and completion, from the table.

use std::ffi::OsString;

use super::flags::Flag;
use super::table::{COMMANDS, Command, GLOBAL};

/// Help for the whole.
pub(super) fn overview() -> String {
    let mut out = String::from(
        "sops: Plomb with the command lines of SOPS 3.13.3\n\n\
         usage: sops [flags] COMMAND [flags] FILE\n       sops [-e | -d | -r] [flags] FILE\n       sops FILE\n\n\
         Without a command FILE is opened in an editor. Flags stand before FILE.\n\ncommands:\n",
    );
    commands(&mut out, COMMANDS);
    out.push_str("\nflags:\n");
    flags(&mut out, GLOBAL);
    out
}

/// Help for one command; `path` is its name with those above it.
pub(super) fn of(path: &str, command: &Command) -> String {
    let mut out = format!("sops {path}: {}\n\n", command.about);
    if command.below.is_empty() {
        out.push_str(&format!("usage: sops {path} [flags] {}", command.operands));
        out.truncate(out.trim_end().len());
        out.push('\n');
    } else {
        out.push_str(&format!("usage: sops {path} COMMAND\n\ncommands:\n"));
        commands(&mut out, command.below);
    }
    out.push_str("\nflags:\n");
    flags(&mut out, command.flags);
    out
}

fn commands(out: &mut String, list: &[Command]) {
    for command in list {
        out.push_str(&format!("  {:<12}{}\n", command.name, command.about));
    }
}

fn flags(out: &mut String, list: &[Flag]) {
    for flag in list {
        let names: Vec<_> = flag.names.iter().map(|name| dashed(name)).collect();
        let variable = flag.variable.map_or(String::new(), |variable| format!(" [${variable}]"));
        out.push_str(&format!("  {:<36}{}{variable}\n", names.join(", "), flag.about));
    }
}

fn dashed(name: &str) -> String {
    if name.len() == 1 { format!("-{name}") } else { format!("--{name}") }
}

/// What could stand next, for a shell's completion: `args` without the program's name and the asking flag.
pub(super) fn candidates(args: &[OsString]) -> String {
    let words: Vec<_> = args.iter().map(|arg| arg.to_string_lossy()).collect();
    let (mut below, mut known) = (COMMANDS, GLOBAL);
    for word in &words {
        if let Some(command) = below.iter().find(|command| command.name == word) {
            (below, known) = (command.below, command.flags);
        }
    }
    let start = words.last().filter(|word| word.starts_with('-'));
    let found: Vec<String> = match start {
        Some(start) => {
            let names = known.iter().flat_map(|flag| flag.names).map(|name| dashed(name));
            names.filter(|name| name.starts_with(&**start)).collect()
        }
        None => below.iter().map(|command| command.name.to_owned()).collect(),
    };
    found.iter().map(|word| format!("{word}\n")).collect()
}

/// The script that makes bash ask [`candidates`].
pub(super) const BASH: &str = r#"_sops_words() {
  local word="${COMP_WORDS[COMP_CWORD]}" asked=("${COMP_WORDS[@]:0:COMP_CWORD}")
  [[ "$word" == -* ]] && asked+=("$word")
  mapfile -t COMPREPLY < <(compgen -W "$("${asked[@]}" --generate-bash-completion 2>/dev/null)" -- "$word")
}
complete -o bashdefault -o default -F _sops_words sops
"#;

/// The script that makes zsh ask [`candidates`].
pub(super) const ZSH: &str = r#"#compdef sops
_sops_words() {
  local -a asked found
  asked=("${words[@]:0:$((CURRENT - 1))}")
  [[ "${words[CURRENT]}" == -* ]] && asked+=("${words[CURRENT]}")
  found=("${(@f)$("${asked[@]}" --generate-bash-completion 2>/dev/null)}")
  if [[ -n "${found[1]}" ]]; then compadd -- "${found[@]}"; else _files; fi
}
compdef _sops_words sops
"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn completion_follows_the_words() {
        let of = |line: &str| candidates(&line.split_whitespace().map(OsString::from).collect::<Vec<_>>());
        assert!(of("").lines().any(|word| word == "decrypt"));
        assert_eq!(of("groups"), "add\ndelete\n");
        assert_eq!(of("decrypt --ign"), "--ignore-mac\n");
    }

    #[test]
    fn help_names_every_flag() {
        assert!(COMMANDS.iter().all(|command| of(command.name, command).contains("--help")));
        assert!(overview().contains("--shamir-secret-sharing-threshold"));
    }
}
