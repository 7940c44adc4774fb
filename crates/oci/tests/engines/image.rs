//! An image that every engine can load, as no registry is asked: an archive in the form of `docker save`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use testbed::{Bundle, run};

/// The image's name: BusyBox and the probe.
pub const IMAGE: &str = "localhost/test:1";

/// Makes the archive in this directory.
pub fn archive(place: &Path) -> PathBuf {
    let bundle = Bundle::busybox();
    let dir = bundle.path().join("image");
    fs::create_dir(&dir).expect("a directory for the image");
    pack(&bundle.rootfs(), &dir.join("layer.tar"));
    let config = json!({
        "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" },
        "os": "linux",
        "config": {
            "Cmd": ["sh"],
            "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
            "WorkingDir": "/",
        },
        "created": "2020-01-01T00:00:00Z",
        "history": [{ "created": "2020-01-01T00:00:00Z" }],
        "rootfs": { "type": "layers", "diff_ids": [format!("sha256:{}", sha256(&dir.join("layer.tar")))] },
    });
    fs::write(dir.join("config.json"), config.to_string()).expect("a configuration");
    let manifest = json!([{ "Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"] }]);
    fs::write(dir.join("manifest.json"), manifest.to_string()).expect("a manifest");
    let archive = place.join("image.tar");
    pack(&dir, &archive);
    archive
}

fn pack(dir: &Path, archive: &Path) {
    run(Command::new("tar").arg("--create").arg("--file").arg(archive).arg("--directory").arg(dir).arg("."))
        .ok();
}

fn sha256(file: &Path) -> String {
    let line = run(Command::new("sha256sum").arg(file)).ok().stdout;
    line.split(' ').next().unwrap_or_default().to_owned()
}
