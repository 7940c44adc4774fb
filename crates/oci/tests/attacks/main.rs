//! Attacks that other runtimes fell to, and the breaks of naive jails. Each is made for real; all fail, and the host is
//! as it was.
//!
//! Each is made without the defence, too, and works there: by a configuration without it, or against the same step
//! as a careless runtime makes it (`probe naive-...`, mount(8) by path). A machine on which it does not makes the test void,
//! and it fails saying so.

mod calls;
mod descriptors;
mod devices;
mod ground;
mod jail;
mod kernel;
mod masks;
mod mount_points;
mod privileges;
mod program;
mod refused;
mod sockets;
#[path = "../support/mod.rs"]
mod support;
mod terminal;

use std::process::ExitCode;

use testbed::{Kernel, Need, Trial, trial};

/// What it is called, what it needs beside root, and who performs it.
type Attack = (&'static str, &'static [&'static str], fn());

/// Each with the break that taught it.
const ATTACKS: [Attack; 39] = [
    // CVE-2019-5736
    ("our binary as the program cannot be written from inside", &["busybox"], program::own_binary),
    (
        "our binary as the interpreter of a script cannot be written",
        &["busybox"],
        program::own_binary_by_script,
    ),
    ("a binary of the host that joins as it is can be written", &["busybox"], program::naive_binary),
    ("our binary as a sealed copy cannot be written, either", &["busybox"], program::sealed_copy),
    ("without a read-only mount or a copy nothing is started", &["busybox"], program::no_protection),
    // CVE-2021-30465, CVE-2019-19921
    (
        "ten thousand swaps of a mount point lead nowhere outside",
        &["unshare"],
        mount_points::ten_thousand_swaps,
    ),
    (
        "a mount point that is swapped for a link leads nowhere outside",
        &[],
        mount_points::swapped_mount_point,
    ),
    ("a link in place of /proc or /sys is refused", &[], mount_points::linked_proc),
    ("links of mount points end at the root of the container", &[], mount_points::linked_mount_points),
    // CVE-2024-1753
    ("a source in the root that is a link leads nowhere outside", &["unshare"], mount_points::linked_sources),
    ("mounts by path follow links to the host", &["unshare"], mount_points::naive_paths),
    // CVE-2019-16884, CVE-2025-52881
    ("nothing is mounted over /proc", &[], masks::forged_proc),
    ("nothing is mounted over /proc through a link", &[], masks::forged_proc_through_link),
    // CVE-2024-21626
    (
        "a working directory that is a leaked descriptor is refused",
        &["busybox", "unshare"],
        descriptors::leaked_working_directory,
    ),
    ("none of our own descriptors is a working directory", &[], descriptors::own_descriptors),
    ("what waits for its start holds nothing of the machine", &["busybox"], descriptors::waiting),
    ("exec has no leaked descriptors, either", &["busybox"], descriptors::leaked_in_exec),
    ("open directories lead nowhere outside", &["busybox", "unshare"], descriptors::open_directories),
    // CVE-2016-9962
    ("exec shows nothing of the machine to a user namespace", &["busybox"], descriptors::exec_into_hostile),
    // CVE-2025-31133
    ("a forged /dev/null masks nothing and is not followed", &[], masks::forged_null),
    ("masks and files of /proc by path are the image's", &["unshare"], masks::naive_masks),
    ("/proc stays read-only and masked", &["busybox"], masks::remounts),
    // CVE-2025-52565
    ("a forged terminal is not used", &[], terminal::forged_terminal),
    ("a console by path is the image's", &["unshare"], terminal::naive_console),
    ("nothing is typed on the caller's terminal", &["cc", "setsid"], terminal::typing),
    // CVE-2020-15257
    ("the start socket is a file that only root reaches", &[], sockets::start_socket),
    ("in the network of the host no socket of ours is reached", &[], sockets::in_the_network_of_the_host),
    // CVE-2022-0492
    ("no release agent can be named", &["busybox"], kernel::release_agent),
    ("mkdir, chroot and .. stay inside", &["unshare"], jail::chroot),
    ("processes of the host are neither seen nor killed", &["busybox"], jail::host_processes),
    ("processes of the host are not debugged", &["cc"], jail::debugged),
    ("fork bombs and memory hogs end with their container", &["busybox"], jail::left_running),
    ("a limit ends a fork bomb", &[], jail::fork_bomb),
    ("the disk of the host can be made and not opened", &[], devices::host_disk),
    ("files of the kernel cannot be written", &[], kernel::kernel_files),
    ("logs of the kernel and keys of others are not read", &["cc"], kernel::logs_and_keys),
    ("setuid programs give nothing", &[], privileges::setuid),
    (
        "capabilities of files work as far as the container has them",
        &["setcap"],
        privileges::file_capabilities,
    ),
    ("a user namespace of its own uncovers nothing", &["busybox"], calls::own_user_namespace),
];

/// What the default filter of `cuddy run` is for.
const CALLS: [Attack; 4] = [
    ("calls that reach into the kernel are refused", &["cc"], calls::dangerous_calls),
    ("keys of the caller are not the container's", &["cc"], calls::keys_of_others),
    ("keys of another container are not found", &["cc"], calls::keys_of_another_container),
    ("the attacks make the calls that they mean", &["cc"], calls::numbers_are_right),
];

fn main() -> ExitCode {
    let all =
        ATTACKS.iter().chain(&CALLS).map(|(name, programs, attack)| attack_trial(name, programs, *attack));
    let key = [Need::Root, Need::Path("/proc/sysrq-trigger"), Need::Program("dmesg")];
    let key = trial("orders by the magic key of the kernel are not taken", key, kernel::magic_key);
    let elsewhere = testbed::again_on_v2("attacks_on_debians_kernel", Kernel::Debian, "of the kernel");
    testbed::main(all.chain(refused::trials()).chain([key]).chain(elsewhere))
}

fn attack_trial(name: &str, programs: &[&'static str], attack: impl FnOnce() + Send + 'static) -> Trial {
    let needs = [Need::Root].into_iter().chain(programs.iter().map(|program| Need::Program(program)));
    trial(name, needs, attack)
}
