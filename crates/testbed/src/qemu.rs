//! Debian's own kernel in QEMU: what a distribution builds, all controllers of control groups for example. Its processor is
//! emulated, so a machine that is itself virtual can run it; it is up in about ten seconds.
//!
//! The kernel is not installed: it is taken out of its package, with the few modules that are loaded before its first program
//! starts. That is a static busybox, which mounts the machine's files over 9p and hands over to the test.

use crate::bundle::{copy_program, find_busybox};
use crate::fixture::{self, made_once};
use crate::kernel::disk;
use crate::{Need, Scratch, run, run_within};
use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File};
use std::hash::{Hash, Hasher};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const QEMU: &str = "qemu-system-x86_64";

/// Depends on the newest kernel of the release.
const PACKAGE: &str = "linux-image-amd64";

/// Of others the kernel is compressed in another way, and has other modules.
const RELEASE: &str = "bookworm";

/// Modules in the order of their needs: the machine's files, disks, and what control groups are tried on: the BFQ scheduler
/// and an RDMA device over an ordinary network.
const MODULES: [&str; 20] = [
    "virtio_ring",
    "virtio",
    "virtio_pci_legacy_dev",
    "virtio_pci_modern_dev",
    "virtio_pci",
    "netfs",
    "fscache",
    "9pnet",
    "9pnet_virtio",
    "9p",
    "virtio_blk",
    "loop",
    "bfq",
    "overlay",
    "crc32_generic",
    "udp_tunnel",
    "ip6_udp_tunnel",
    "ib_core",
    "ib_uverbs",
    "rdma_rxe",
];

/// What the kernel starts, with the test's own first program as its argument.
const INIT: &str = r#"#!/busybox sh
for module in MODULES; do /busybox insmod /$module.ko; done
/busybox mount -t 9p -o trans=virtio,version=9p2000.L,ro,cache=loose,msize=262144 machine /machine
/busybox mount --bind /machine/dev/shm /shm
/busybox mount -t devtmpfs devtmpfs /machine/dev
/busybox mkdir /machine/dev/pts /machine/dev/shm
/busybox mount -t devpts devpts /machine/dev/pts
/busybox mount --move /shm /machine/dev/shm
/busybox chroot /machine rdma link add rxe0 type rxe netdev lo
exec /busybox switch_root /machine "$1"
"#;

/// What [`command`] needs; less once the kernel is here.
pub(crate) fn needs() -> Vec<Need> {
    let mut needs = vec![Need::Root, Need::Program(QEMU)];
    if !place_of_kernel().exists() {
        needs.extend(["apt-get", "dpkg-deb", "busybox", "xz"].map(Need::Program));
        needs.extend([Need::Debian(RELEASE, "x86_64"), Need::Reachable(fixture::MIRROR)]);
    }
    needs
}

/// The emulator with the kernel, the machine's files and this first program.
pub(crate) fn command(place: &Path, init: &Path) -> Command {
    let kernel = debian_kernel();
    let mut command = Command::new(QEMU);
    command
        .args(["-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", "1G"])
        .args(["-nodefaults", "-no-reboot", "-display", "none", "-serial", "stdio"])
        .arg("-kernel")
        .arg(kernel.join("vmlinux"))
        .arg("-initrd")
        .arg(kernel.join("initrd"))
        .arg("-append")
        .arg(format!("console=ttyS0 quiet loglevel=2 panic=-1 -- {}", init.display()))
        .args(["-fsdev", "local,id=machine,path=/,security_model=none,readonly=on,multidevs=remap"])
        .args(["-device", "virtio-9p-pci,fsdev=machine,mount_tag=machine"])
        .arg("-drive")
        .arg(format!("if=virtio,format=raw,file={}", disk(place).display()));
    command
}

/// A directory with the kernel, `vmlinux`, and its first files, `initrd`; made once, and kept in the target directory.
///
/// # Panics
/// If it cannot be made: see [`needs`].
fn debian_kernel() -> PathBuf {
    let place = place_of_kernel();
    made_once(&place, |partial| {
        fs::create_dir(partial).expect("a directory in the target directory");
        let work = Scratch::new();
        unpack(&download(work.path()), work.path());
        decompress(work.path(), &partial.join("vmlinux"));
        first_files(work.path(), &partial.join("initrd"));
    });
    place
}

/// Where it is, by what it is made from.
fn place_of_kernel() -> PathBuf {
    let mut hasher = DefaultHasher::new();
    (INIT, MODULES).hash(&mut hasher);
    fixture::place("debian-kernel", hasher.finish())
}

/// The package, from the mirrors of this machine. Lists that are old name versions that are no longer there.
fn download(into: &Path) -> PathBuf {
    let script = format!(
        "fetch() {{
            package=$(apt-cache depends {PACKAGE} | sed -n 's/^ *Depends: //p')
            test -n \"$package\" && apt-get -o APT::Sandbox::User=root --quiet=2 download \"$package\"
        }}
        fetch || {{ apt-get --quiet=2 update && fetch; }}
        ls *.deb"
    );
    let done = run_within(fixture::LIMIT, Command::new("sh").args(["-ec", &script]).current_dir(into)).ok();
    into.join(done.stdout.lines().last().unwrap_or_default())
}

/// Takes the compressed kernel and the modules out of the package, into one directory.
fn unpack(package: &Path, into: &Path) {
    let mut archive = Command::new("dpkg-deb");
    let archive = archive.arg("--fsys-tarfile").arg(package).stdout(Stdio::piped()).spawn();
    let mut archive = archive.expect("dpkg-deb can be run");
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--wildcards", "--transform=s,.*/,,;s,^vmlinuz-.*,vmlinuz,", "./boot/vmlinuz-*"]);
    tar.args(MODULES.map(|module| format!("*/{module}.ko")));
    run(tar.current_dir(into).stdin(archive.stdout.take().expect("a pipe"))).ok();
    assert!(archive.wait().expect("a child of ours").success(), "{} is no package", package.display());
}

/// The kernel decompresses itself, which takes an emulated processor as long as the rest of the start. What is decompressed
/// here is an ELF program that QEMU starts by its PVH entry.
fn decompress(work: &Path, vmlinux: &Path) {
    const XZ: &[u8] = b"\xfd7zXZ\0";
    let bytes = fs::read(work.join("vmlinuz")).expect("a kernel in the package");
    let at = bytes.windows(XZ.len()).position(|window| window == XZ).expect("a kernel compressed by xz");
    let stream = work.join("vmlinux.xz");
    fs::write(&stream, &bytes[at..]).expect("a file of ours");
    let mut xz = Command::new("xz");
    // What follows the stream is the kernel's own.
    xz.args(["--decompress", "--single-stream", "--stdout"]).arg(stream);
    xz.stdout(File::create_new(vmlinux).expect("a file of ours"));
    assert!(xz.status().expect("xz can be run").success(), "xz cannot decompress the kernel");
}

/// An archive (cpio) of what is there before the machine's files are.
fn first_files(work: &Path, initrd: &Path) {
    let tree = work.join("tree");
    for directory in ["", "machine", "shm"] {
        fs::create_dir(tree.join(directory)).expect("a directory of ours");
    }
    copy_program(&find_busybox(), &tree.join("busybox"));
    for module in MODULES.map(|module| format!("{module}.ko")) {
        fs::rename(work.join(&module), tree.join(&module)).expect("a module in the package");
    }
    let init = tree.join("init");
    fs::write(&init, INIT.replace("MODULES", &MODULES.join(" "))).expect("a file of ours");
    fs::set_permissions(&init, fs::Permissions::from_mode(0o755)).expect("a file of ours");
    let mut pack = Command::new("sh");
    pack.args(["-ec", "find . | ./busybox cpio -o -H newc >\"$0\""]).arg(initrd).current_dir(&tree);
    run(&mut pack).ok();
}
