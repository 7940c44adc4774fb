//! Real root file systems.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::binary::cache_dir;
use crate::run_within;

/// Downloading and unpacking some forty packages.
const LIMIT: Duration = Duration::from_secs(600);

/// A minimal Debian of the host's own release as a tar archive, made once by mmdebstrap and kept in the target directory.
///
/// # Panics
/// If it cannot be made; it needs `mmdebstrap`, root, and a Debian mirror.
pub fn debian_tar() -> PathBuf {
    let dir = cache_dir();
    fs::create_dir_all(&dir).expect("a directory for fixtures in the target directory");
    let tar = dir.join("debian-minbase.tar");

    // Tests are processes of their own: the first makes it, the others wait for the lock.
    let lock = File::create(dir.join("debian-minbase.lock")).expect("a lock file");
    lock.lock().expect("a lock on a file of ours");
    if !tar.exists() {
        let partial = dir.join("debian-minbase.partial.tar");
        let mut mmdebstrap = Command::new("mmdebstrap");
        mmdebstrap.args(["--quiet", "--variant=minbase", "--mode=root", &codename()]).arg(&partial);
        run_within(LIMIT, &mut mmdebstrap).ok();
        fs::rename(&partial, &tar).expect("a rename within the directory");
    }
    tar
}

/// `VERSION_CODENAME` of the host; on a host that is not Debian, stable.
fn codename() -> String {
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let field = |name| release.lines().find_map(|line: &str| line.strip_prefix(name));
    let codename = field("VERSION_CODENAME=").filter(|_| field("ID=") == Some("debian"));
    codename.unwrap_or("stable").trim_matches('"').to_owned()
}
