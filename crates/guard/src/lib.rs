//! Says whether a file breaks the repository's own encryption rules. Needs no key.
