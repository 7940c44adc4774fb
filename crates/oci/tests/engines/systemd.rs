//! podman where systemd makes the groups, on a Debian in a kernel of its own.

use testbed::{Scratch, binary, uml};

use crate::image::{self, IMAGE};
use crate::podman::CONTAINERS_CONF;
use crate::v2::STORAGE_CONF;

pub fn podman() {
    let scratch = Scratch::new();
    let archive = image::archive(scratch.path());
    let script = format!(
        "RUNTIME={} IMAGE={} image={IMAGE}\nCONTAINERS='{CONTAINERS_CONF}' STORAGE='{STORAGE_CONF}'\n{}",
        binary("cuddy-oci").display(),
        archive.display(),
        include_str!("systemd.sh"),
    );
    let console = uml::boot_systemd(uml::Hierarchy::Unified, &script).expect("a kernel that boots");
    let said: Vec<_> = console.lines().skip_while(|line| *line != "ran").collect();
    let expected = [
        &["ran", "code 7", "machine.slice", "67108864"][..],
        &["67108864", "0::/", "web", "web", "33554432", "33554432", "web", "inactive", "the end"],
    ];
    assert!(said.starts_with(&expected.concat()), "{console}");
}
