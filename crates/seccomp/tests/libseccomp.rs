//! Compared with libseccomp.
fn main() {}
