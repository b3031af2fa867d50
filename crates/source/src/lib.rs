//! Where the bytes to scan come from: files, archives, a stream, the Git index, Git history.
