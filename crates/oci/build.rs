//! How `cuddy-oci` is linked: its size is bounded, and each page of it is touched by a start.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=link.ld");
    // Functions whose machine code is the same are linked once.
    println!("cargo:rustc-link-arg-bins=-Wl,--icf=all");
    if std::env::var("PROFILE").is_ok_and(|profile| profile == "release") {
        let directory =
            std::env::var("CARGO_MANIFEST_DIR").expect("cargo names the directory of the package");
        println!("cargo:rustc-link-arg-bins=-Wl,--no-eh-frame-hdr");
        println!("cargo:rustc-link-arg-bins=-Wl,-T,{directory}/link.ld");
    }
}
