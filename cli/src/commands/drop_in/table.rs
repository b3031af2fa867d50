//! SOPS' commands and flags, as data: reading, help and completion all go by this table.

use super::flags::{Flag, number, switch, text, texts};

/// A command of the table.
#[derive(Debug)]
pub(super) struct Command {
    /// Its name.
    pub(super) name: &'static str,
    /// For help.
    pub(super) about: &'static str,
    /// What follows its flags.
    pub(super) operands: &'static str,
    /// Its flags.
    pub(super) flags: &'static [Flag],
    /// Commands below it.
    pub(super) below: &'static [Command],
}

const fn command(name: &'static str, operands: &'static str, about: &'static str, flags: &'static [Flag]) -> Command {
    Command { name, about, operands, flags, below: &[] }
}

/// The flag that every command has.
pub(super) const HELP: Flag = switch(&["help", "h"], "show help");

const VERSION: Flag = switch(&["version", "v"], "print the version");
const IN_PLACE: Flag = switch(&["in-place", "i"], "write the result back to the file");
const OUTPUT: Flag = text(&["output"], "write the result to this file");
const EXTRACT: Flag = text(&["extract"], "only the value at this path, such as '[\"a\"][0]'");
const INPUT_TYPE: Flag = text(&["input-type"], "format of the input: yaml, json, dotenv, ini, binary");
const OUTPUT_TYPE: Flag = text(&["output-type"], "format of the output");
const IGNORE_MAC: Flag = switch(&["ignore-mac"], "decrypt although the MAC is missing or wrong");
const NAME: Flag = text(&["filename-override"], "choose rule and format as for a file of this name");
const ORDER: Flag = text(&["decryption-order"], "key types in the order to try them").or("SOPS_DECRYPTION_ORDER");
const LOCAL: Flag = switch(&["enable-local-keyservice"], "use the keys at hand; cannot be turned off here")
    .or("SOPS_ENABLE_LOCAL_KEYSERVICE")
    .default_on();
const SERVICE: Flag = texts(&["keyservice"], "not supported: ignored").or("SOPS_KEYSERVICE");
const VERBOSE: Flag = switch(&["verbose"], "say more");
const YES: Flag = switch(&["yes", "y"], "do not ask");
const SHOW_KEYS: Flag = switch(&["show-master-keys", "s"], "show the metadata in the editor");
const USER: Flag = text(&["user"], "run the command as this user");
const BACKGROUND: Flag = switch(&["background"], "not supported: do not wait for the command");
const FILE: Flag = text(&["file", "f"], "the file");
const THRESHOLD: Flag = number(&["shamir-secret-sharing-threshold"], "key groups needed to open the file");
const IDEMPOTENT: Flag = switch(&["idempotent"], "succeed and write nothing if there is nothing to change");

const AGE: Flag = text(&["age", "a"], "recipients (age or ssh), separated by commas").or("SOPS_AGE_RECIPIENTS");
const PGP: Flag = text(&["pgp", "p"], "not supported").or("SOPS_PGP_FP");
const KMS: Flag = text(&["kms", "k"], "not supported").or("SOPS_KMS_ARN");
const GCP_KMS: Flag = text(&["gcp-kms"], "not supported").or("SOPS_GCP_KMS_IDS");
const HCKMS: Flag = text(&["hckms"], "not supported").or("SOPS_HUAWEICLOUD_KMS_IDS");
const AZURE: Flag = text(&["azure-kv"], "not supported").or("SOPS_AZURE_KEYVAULT_URLS");
const VAULT: Flag = text(&["hc-vault-transit"], "not supported").or("SOPS_VAULT_URIS");
const AWS_PROFILE: Flag = text(&["aws-profile"], "ignored");
const CONTEXT: Flag = text(&["encryption-context"], "ignored");

const UNENCRYPTED_SUFFIX: Flag = text(&["unencrypted-suffix"], "leave values under keys that end so in clear");
const ENCRYPTED_SUFFIX: Flag = text(&["encrypted-suffix"], "encrypt only values under keys that end so");
const UNENCRYPTED_REGEX: Flag = text(&["unencrypted-regex"], "leave values under keys that match in clear");
const ENCRYPTED_REGEX: Flag = text(&["encrypted-regex"], "encrypt only values under keys that match");
const UNENCRYPTED_COMMENT: Flag = text(&["unencrypted-comment-regex"], "leave values behind such comments in clear");
const ENCRYPTED_COMMENT: Flag = text(&["encrypted-comment-regex"], "encrypt only values behind such comments");

const ADD_AGE: Flag = text(&["add-age"], "add these recipients");
const RM_AGE: Flag = text(&["rm-age"], "remove these recipients");
const ADD_PGP: Flag = text(&["add-pgp"], "not supported");
const RM_PGP: Flag = text(&["rm-pgp"], "not supported");
const ADD_KMS: Flag = text(&["add-kms"], "not supported");
const RM_KMS: Flag = text(&["rm-kms"], "not supported");
const ADD_GCP_KMS: Flag = text(&["add-gcp-kms"], "not supported");
const RM_GCP_KMS: Flag = text(&["rm-gcp-kms"], "not supported");
const ADD_HCKMS: Flag = text(&["add-hckms"], "not supported");
const RM_HCKMS: Flag = text(&["rm-hckms"], "not supported");
const ADD_AZURE: Flag = text(&["add-azure-kv"], "not supported");
const RM_AZURE: Flag = text(&["rm-azure-kv"], "not supported");
const ADD_VAULT: Flag = text(&["add-hc-vault-transit"], "not supported");
const RM_VAULT: Flag = text(&["rm-hc-vault-transit"], "not supported");

/// Flags that name keys of kinds that are not built in: for new files, to add, to remove.
pub(super) const FOREIGN: [&str; 6] = ["kms", "pgp", "gcp-kms", "hckms", "azure-kv", "hc-vault-transit"];

/// Flags before any command, which are also those of the old style without commands.
pub(super) const GLOBAL: &[Flag] = &[
    switch(&["decrypt", "d"], "decrypt a file"),
    switch(&["encrypt", "e"], "encrypt a file"),
    switch(&["rotate", "r"], "encrypt a file with a new data key"),
    switch(&["disable-version-check"], "nothing is ever asked over the network").or("SOPS_DISABLE_VERSION_CHECK"),
    switch(&["check-for-updates"], "ignored: nothing is ever asked over the network"),
    KMS,
    AWS_PROFILE,
    GCP_KMS,
    HCKMS,
    AZURE,
    VAULT,
    PGP,
    AGE,
    IN_PLACE,
    EXTRACT,
    INPUT_TYPE,
    OUTPUT_TYPE,
    SHOW_KEYS,
    ADD_GCP_KMS,
    RM_GCP_KMS,
    ADD_HCKMS,
    RM_HCKMS,
    ADD_AZURE,
    RM_AZURE,
    ADD_KMS,
    RM_KMS,
    ADD_VAULT,
    RM_VAULT,
    ADD_AGE,
    RM_AGE,
    ADD_PGP,
    RM_PGP,
    IGNORE_MAC,
    switch(&["mac-only-encrypted"], "compute the MAC over encrypted values only"),
    UNENCRYPTED_SUFFIX,
    ENCRYPTED_SUFFIX,
    UNENCRYPTED_REGEX,
    ENCRYPTED_REGEX,
    UNENCRYPTED_COMMENT,
    ENCRYPTED_COMMENT,
    text(&["config"], "use this configuration instead of the nearest .sops.yaml").or("SOPS_CONFIG"),
    CONTEXT,
    text(&["set"], "set a value: '[\"a\"][0] JSON'"),
    THRESHOLD,
    number(&["indent"], "blanks per level in YAML and JSON"),
    VERBOSE,
    OUTPUT,
    NAME,
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
    VERSION,
];

/// Global flags that also work before a command; all others are dropped there.
pub(super) const WORK_BEFORE_A_COMMAND: [&str; 6] =
    ["config", "indent", "mac-only-encrypted", "disable-version-check", "check-for-updates", "verbose"];

/// Every command.
pub(super) const COMMANDS: &[Command] = &[
    Command { below: COMPLETION, ..command("completion", "", "print a completion script", &[HELP]) },
    command("exec-env", "FILE COMMAND", "run a command with the values in its environment", EXEC_ENV),
    command("exec-file", "FILE COMMAND", "run a command on the decrypted file, named {} in it", EXEC_FILE),
    command("publish", "FILE", "put a file where a destination rule says", PUBLISH),
    command("keyservice", "", "not supported", KEYSERVICE),
    command("filestatus", "FILE", "tell whether a file is encrypted", &[INPUT_TYPE, HELP]),
    Command { below: GROUPS, ..command("groups", "", "add or delete key groups", &[HELP]) },
    command("updatekeys", "FILE...", "make recipients follow the creation rule", UPDATEKEYS),
    command("decrypt", "[FILE]", "decrypt a file or standard input", DECRYPT),
    command("encrypt", "[FILE]", "encrypt a file or standard input", ENCRYPT),
    command("rotate", "FILE", "encrypt a file with a new data key", ROTATE),
    command("edit", "FILE", "edit an encrypted file", EDIT),
    command("set", "FILE PATH [VALUE]", "set a value, given as JSON", SET),
    command("unset", "FILE PATH", "remove a value", UNSET),
];

const COMPLETION: &[Command] = &[
    command("bash", "", "for bash: source <(sops completion bash)", &[HELP]),
    command("zsh", "", "for zsh: source <(sops completion zsh)", &[HELP]),
];

const GROUPS: &[Command] = &[
    command("add", "", "add a key group", GROUPS_ADD),
    command("delete", "NUMBER", "delete a key group", &[FILE, IN_PLACE, THRESHOLD, LOCAL, SERVICE, HELP]),
];

const EXEC_ENV: &[Flag] = &[
    BACKGROUND,
    switch(&["pristine"], "pass nothing on from the present environment"),
    USER,
    switch(&["same-process"], "replace this process by the command"),
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
];

const EXEC_FILE: &[Flag] = &[
    BACKGROUND,
    switch(&["no-fifo"], "a file instead of a pipe"),
    USER,
    INPUT_TYPE,
    OUTPUT_TYPE,
    text(&["filename"], "name of the file"),
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
];

const PUBLISH: &[Flag] = &[
    YES,
    switch(&["omit-extensions"], "drop the extension of the published name"),
    switch(&["recursive"], "publish every file of a folder"),
    VERBOSE,
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
];

const KEYSERVICE: &[Flag] = &[
    text(&["network", "net"], "not supported"),
    text(&["address", "addr"], "not supported"),
    switch(&["prompt"], "not supported"),
    VERBOSE,
    HELP,
];

const UPDATEKEYS: &[Flag] = &[YES, INPUT_TYPE, LOCAL, SERVICE, HELP];

const DECRYPT: &[Flag] =
    &[IN_PLACE, EXTRACT, OUTPUT, INPUT_TYPE, OUTPUT_TYPE, IGNORE_MAC, NAME, ORDER, LOCAL, SERVICE, HELP];

const ENCRYPT: &[Flag] = &[
    IN_PLACE,
    OUTPUT,
    KMS,
    AWS_PROFILE,
    GCP_KMS,
    HCKMS,
    AZURE,
    VAULT,
    PGP,
    AGE,
    INPUT_TYPE,
    OUTPUT_TYPE,
    UNENCRYPTED_SUFFIX,
    ENCRYPTED_SUFFIX,
    UNENCRYPTED_REGEX,
    ENCRYPTED_REGEX,
    CONTEXT,
    THRESHOLD,
    NAME,
    LOCAL,
    SERVICE,
    HELP,
];

const ROTATE: &[Flag] = &[
    IN_PLACE,
    OUTPUT,
    INPUT_TYPE,
    OUTPUT_TYPE,
    CONTEXT,
    ADD_GCP_KMS,
    RM_GCP_KMS,
    ADD_HCKMS,
    RM_HCKMS,
    ADD_AZURE,
    RM_AZURE,
    ADD_KMS,
    RM_KMS,
    ADD_VAULT,
    RM_VAULT,
    ADD_AGE,
    RM_AGE,
    ADD_PGP,
    RM_PGP,
    NAME,
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
];

const EDIT: &[Flag] = &[
    KMS,
    AWS_PROFILE,
    GCP_KMS,
    HCKMS,
    AZURE,
    VAULT,
    PGP,
    AGE,
    INPUT_TYPE,
    OUTPUT_TYPE,
    UNENCRYPTED_SUFFIX,
    ENCRYPTED_SUFFIX,
    UNENCRYPTED_REGEX,
    ENCRYPTED_REGEX,
    CONTEXT,
    THRESHOLD,
    SHOW_KEYS,
    IGNORE_MAC,
    ORDER,
    LOCAL,
    SERVICE,
    HELP,
];

const SET: &[Flag] = &[
    INPUT_TYPE,
    OUTPUT_TYPE,
    switch(&["value-file"], "the value is in the file named in its place"),
    switch(&["value-stdin"], "the value comes on standard input"),
    THRESHOLD,
    IGNORE_MAC,
    ORDER,
    IDEMPOTENT,
    LOCAL,
    SERVICE,
    HELP,
];

const UNSET: &[Flag] = &[INPUT_TYPE, OUTPUT_TYPE, THRESHOLD, IGNORE_MAC, ORDER, IDEMPOTENT, LOCAL, SERVICE, HELP];

const GROUPS_ADD: &[Flag] = &[
    FILE,
    texts(&["pgp"], "not supported"),
    texts(&["kms"], "not supported"),
    AWS_PROFILE,
    texts(&["gcp-kms"], "not supported"),
    texts(&["hckms"], "not supported"),
    texts(&["azure-kv"], "not supported"),
    texts(&["hc-vault-transit"], "not supported"),
    texts(&["age"], "recipients of the new group"),
    IN_PLACE,
    THRESHOLD,
    CONTEXT,
    LOCAL,
    SERVICE,
    HELP,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_command_has_help_and_no_name_twice() {
        let lists = COMMANDS.iter().chain(COMPLETION).chain(GROUPS).map(|command| (command.name, command.flags));
        for (name, flags) in lists.chain([("sops", GLOBAL)]) {
            let mut names: Vec<_> = flags.iter().flat_map(|flag| flag.names).collect();
            assert!(names.contains(&&"help"), "{name}");
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{name}: {names:?}");
        }
    }
}
