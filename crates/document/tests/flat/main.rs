//! JSON, dotenv, INI and binary files: against fixtures made by SOPS, against SOPS itself, and at random.

#![expect(clippy::disallowed_methods, reason = "a test reads fixtures, its environment and a peer's output")]

mod edits;
mod fixtures;
mod hostile;
mod material;
mod peer;
mod random;
mod rounds;
