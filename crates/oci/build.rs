//! Functions whose machine code is the same are linked once: the size of `cuddy-oci` is bounded, and each page of it is
//! touched by a start.

fn main() {
    println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    println!("cargo:rerun-if-changed=build.rs");
}
