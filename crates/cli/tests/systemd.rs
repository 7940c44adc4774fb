//! `cuddy run` where systemd makes the groups, on a Debian in a kernel of its own.

use std::process::ExitCode;
use testbed::{Bundle, binary, trial, uml};

fn main() -> ExitCode {
    testbed::main([trial("a container is a unit", uml::needs_of_systemd(), unit)])
}

/// What is done there. The kernel's overlay is a module.
const STEPS: &str = r#"
export HOME=/tmp
mount -t tmpfs tmpfs /tmp
mount -t tmpfs tmpfs /var
/mnt/bin/busybox insmod /mnt/usr/lib/uml/modules/$(uname -r)/kernel/fs/overlayfs/overlay.ko
run() { "$cuddy" run --rm --cgroup-manager systemd "$@"; }
shown() { systemctl show "$1" | grep -E "^($2)=" | sort; }
run --cgroupns host "$root" cat /proc/self/cgroup | sed 's/cuddy-[^.]*/cuddy-ID/'
mkfifo /tmp/hold
run --name web --memory 64m --pids-limit 33 --cgroup-parent site.slice -i "$root" sh -c 'echo started; cat' </tmp/hold &
exec 3>/tmp/hold
unit() { systemctl list-units --plain --no-legend 'cuddy-*.scope' | cut -d' ' -f1; }
until unit | grep -q .; do sleep 0.2; done
unit=$(unit)
shown "$unit" 'MemoryMax|TasksMax|ControlGroup|Delegate' | sed "s/$unit/UNIT/"
cat "/sys/fs/cgroup/site.slice/$unit/memory.max"
exec 3>&-
wait
systemctl list-units --all --plain --no-legend 'cuddy-*.scope'
find /sys/fs/cgroup -name 'cuddy-*.scope'
echo the end
"#;

fn unit() {
    let bundle = Bundle::busybox();
    let root = bundle.rootfs();
    let script = format!("cuddy=/mnt{} root=/mnt{}\n{STEPS}", binary("cuddy").display(), root.display());
    let console = uml::boot_systemd(uml::Hierarchy::Unified, &script).expect("a kernel that boots");
    let said: Vec<_> = console.lines().skip_while(|line| !line.starts_with("0::")).collect();
    let expected = [
        "0::/system.slice/cuddy-ID.scope",
        "started",
        "ControlGroup=/site.slice/UNIT",
        "Delegate=yes",
        "MemoryMax=67108864",
        "TasksMax=33",
        "67108864",
        "the end",
    ];
    assert!(said.starts_with(&expected), "{console}");
}
