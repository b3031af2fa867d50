//! Random YAML documents of every style people write.
