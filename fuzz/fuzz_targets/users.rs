//! Files of a root file system that say who users are: passwd(5) and group(5). The first line is what is asked for.

#![no_main]

use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::OnceLock;

use engine::options::user::{Principal, UserSpec, user};
use engine::user::resolve;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    let root = ROOT.get_or_init(|| {
        let root = PathBuf::from(format!("/dev/shm/cuddy-fuzz-users-{}", std::process::id()));
        fs::create_dir_all(root.join("etc")).expect("a directory in memory");
        root
    });
    let mut parts = bytes.splitn(2, |byte| *byte == b'\n');
    let asked = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let files = parts.next().unwrap_or_default();
    let half = files.windows(2).position(|two| two == b"\n\n").map_or(files.len(), |at| at + 1);
    fs::write(root.join("etc/passwd"), &files[..half]).expect("a file in memory");
    fs::write(root.join("etc/group"), &files[half..]).expect("a file in memory");
    let spec = user(&asked).ok();
    let directory = File::open(root).expect("a directory of ours");
    if let Ok(found) = resolve(&directory, spec.as_ref()) {
        // A number means itself, whatever the files say.
        if let Some(UserSpec { user: Principal::Id(number), .. }) = spec {
            assert_eq!(found.uid, number);
        }
    }
});
