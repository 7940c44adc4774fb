use std::path::PathBuf;

/// Where containers are that nobody names a place for, as runc chooses it: `/run/cuddy` for root, and below
/// `XDG_RUNTIME_DIR` for everybody else (XDG Base Directory Specification). Root of a user namespace counts as who it
/// is outside, unless it calls itself root.
#[must_use]
pub fn default_root() -> PathBuf {
    let uid = rustix::process::geteuid();
    let own = match uid.is_root() {
        true => {
            let named = std::env::var_os("USER").is_none_or(|user| user != "root");
            named && host::in_user_namespace().unwrap_or_default()
        }
        false => true,
    };
    let directory = std::env::var_os("XDG_RUNTIME_DIR").filter(|directory| !directory.is_empty());
    match directory.map(PathBuf::from) {
        Some(directory) if own => directory.join("cuddy"),
        None if !uid.is_root() => PathBuf::from(format!("/run/user/{}/cuddy", uid.as_raw())),
        _ => "/run/cuddy".into(),
    }
}
