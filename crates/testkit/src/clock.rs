//! The one moment at which repeatable tests take place.

/// Seconds since 1970 of [`TEXT`].
pub const SECONDS: u64 = 1_767_323_045;

/// The moment as SOPS writes it.
pub const TEXT: &str = "2026-01-02T03:04:05Z";
