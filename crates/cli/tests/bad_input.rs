//! What is refused: the whole text that a person reads, and that nothing is left of the attempt.

mod common;

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::time::Duration;

use common::archive::{Archive, BLOCK_DEVICE, DIRECTORY, FILE, HARD_LINK, SYMLINK};
use common::{Home, Rootfs, words};
use testbed::{Machine, Need, Trial, binary, run, run_within, trial};

fn main() -> ExitCode {
    let mut trials = Vec::new();
    trials.extend(LINES.iter().map(line));
    trials.extend(REFUSED.iter().map(refused_archive));
    trials.extend(UNPACKED.iter().map(unpacked_archive));
    let busybox = || [Need::Root, Need::Program("busybox")];
    trials.extend([
        trial("refused: a limit above that of this machine", [Need::Root], hard_limit),
        trial("refused: a name in use", busybox(), name_in_use),
        trial("refused: the state of another user", busybox(), anothers_state),
        trial("refused: a kernel without the new mount calls", busybox(), no_mount_calls),
        trial("refused: an archive that is cut, whatever compresses it", busybox(), truncated),
        trial("a sparse file of 1 GB takes no space", busybox(), sparse),
        trial("an archive of 200000 entries is unpacked", busybox(), many_entries),
    ]);
    testbed::main(trials)
}

/// Runs `cuddy run --rm --name NAME LINE`, and checks that it ends with 125 and this on stderr, and that the machine
/// is what it was. `HERE` is the directory that it is typed in, `NAME` the container's name.
#[track_caller]
fn check(home: &Home, line: &str, expect: &str) {
    let before = state(home);
    let (name, mut command) = home.container(words(&line.replace("HERE", &home.dir().display().to_string())));
    let done = run_within(LONG, &mut command);
    let text = |text: &str| text.replace(&home.dir().display().to_string(), "HERE").replace(&name, "NAME");
    // The clock goes on: it is taken from the message itself.
    let uptime = done.stderr.split_once("the clock stands at ").map_or("UPTIME", |(_, rest)| rest);
    let expect = &expect.replace("UPTIME", uptime.split(' ').next().unwrap_or_default());
    assert_eq!(
        (text(&without_steps(&done.stderr)).as_str(), done.code()),
        (format!("{expect}\n").as_str(), 125)
    );
    assert_eq!(done.stdout, "");
    assert_eq!(state(home), before);
}

const LONG: Duration = Duration::from_secs(180);

/// What a refused start may not leave: layers in the store, records, and whatever else has the container's name.
fn state(home: &Home) -> Vec<String> {
    let roots = [home.root(), home.run_root()];
    let mut files = Machine::snapshot_with(&[&roots[0], &roots[1]]).files;
    let below = |path: &str| roots.iter().any(|root| path.starts_with(root.to_str().unwrap()));
    // What the first run of all makes: the store itself and the directory of containers.
    let first = ["lib/layers", "lib/archives", "lib/lock", "run/containers"];
    files.retain(|path| below(path) && !first.iter().any(|name| path.ends_with(name)));
    files.into_iter().chain(home.traces()).collect()
}

/// Takes ` (step 17 of 42, from /process/args)` out of a message; the numbers depend on the machine.
fn without_steps(text: &str) -> String {
    let Some((before, rest)) = text.split_once(" (step ") else { return text.to_owned() };
    let (_, after) = rest.split_once(')').expect("a parenthesis is closed");
    format!("{before}{after}")
}

const FORMS: &str = "give a directory (./rootfs), an archive (./rootfs.tar) or host:";

/// A command line after `cuddy run`, and the whole of what it says.
const LINES: [(&str, &str); 39] = [
    ("", "cuddy: ROOT: it is missing\n  name a root file system, like host: or ./rootfs"),
    ("./nowhere sh", "cuddy: root file system ./nowhere: no such file or directory\n  FORMS"),
    ("/dev/null sh", "cuddy: root file system /dev/null: it is a character device\n  FORMS"),
    ("host:/nowhere sh", "cuddy: root file system /nowhere: no such file or directory\n  FORMS"),
    (
        "host:srv sh",
        "cuddy: root file system host:srv: the path after host: is not absolute\n  write host:/srv, or host: for the \
         whole machine",
    ),
    (
        "host:HERE/text sh",
        "cuddy: root file system host:HERE/text: it is no directory\n  for an archive write HERE/text",
    ),
    ("--moo host:", "cuddy: unexpected argument '--moo' found\n  --help after the command lists its options"),
    ("--memmory 1g host:", "cuddy: unexpected argument '--memmory' found\n  did you mean --memory?"),
    (
        "--root-rw host: sh",
        "cuddy: --root-rw with host:: what is below a container's own layer is not to be changed there\n  leave it out: \
         everything may be written, and is thrown away; or name a directory of your own",
    ),
    (
        "--cap-add MOO host: sh",
        "cuddy: --cap-add \"MOO\": there is no such capability\n  write a name of capabilities(7) like NET_ADMIN, or ALL",
    ),
    (
        "--cap-add ALL --cap-drop ALL host: sh",
        "cuddy: --cap-add ALL with --cap-drop ALL: they contradict each other\n  leave one of them out",
    ),
    (
        "--sysctl vm.swappiness=1 host: sh",
        "cuddy: --sysctl \"vm.swappiness=1\": vm.swappiness belongs to the whole machine, not to a namespace\n  set it on \
         the host with sysctl(8); a container may set net.*, fs.mqueue.*, kernel.sem, kernel.msg*, kernel.shm* and \
         kernel.domainname",
    ),
    (
        "--network host --sysctl net.ipv4.ip_forward=1 host: sh",
        "cuddy: --sysctl net.ipv4.ip_forward with --network host: the parameter is not the container's own then, and would \
         change outside of it\n  leave out --network host, or set it on the host with sysctl(8)",
    ),
    (
        "--sysctl net.no_such=1 host: sh",
        "cuddy: cannot start NAME: set sysctl net.no_such to \"1\": no such file or directory\n  this kernel has no such \
         parameter",
    ),
    (
        "--sysctl net.ipv4.ip_forward=moo host: sh",
        "cuddy: cannot start NAME: set sysctl net.ipv4.ip_forward to \"moo\": invalid argument\n  the kernel does not accept \
         this value",
    ),
    (
        "-v ./nowhere:/x host: sh",
        "cuddy: the mount of HERE/nowhere on /x: no such file or directory\n  give a file or directory of this machine \
         that exists; cuddy does not make it",
    ),
    (
        "-v ./text:/etc host: sh",
        "cuddy: cannot start NAME: mount HERE/text on /etc of the container: the source is a file, and there is a directory \
         at that path\n  mount a directory there, or name a path for the file in that directory",
    ),
    (
        "--userns 0:200000:1000 -v .:/a -v .:/a/b host: sh",
        "cuddy: cannot start NAME: mount HERE on /a/b of the container: permission denied\n  nothing is there, and root of \
         the user namespace may not make it; make the path yourself, or map the owners of the mount that it is in (idmap)",
    ),
    (
        "--time-offset boottime=-999999999 host: sh",
        "cuddy: --time-offset boottime: the clock stands at UPTIME seconds and would be before zero\n  give -UPTIME or more",
    ),
    (
        "-v data:/x host: sh",
        "cuddy: --volume \"data:/x\": \"data\" would be a named volume, and volumes do not exist yet\n  for a host path write \
         ./data",
    ),
    (
        "-v ./text:x host: sh",
        "cuddy: --volume \"./text:x\": the target \"x\" is not absolute\n  write an absolute path inside the container, like \
         /data",
    ),
    (
        "-v ./text:/x:moo host: sh",
        "cuddy: --volume \"./text:/x:moo\": \"moo\" is no option of a bind mount\n  known are ro, rw, idmap, match-user, z, Z, [r]private, \
         [r]shared, [r]slave, [no]exec, [no]suid, [no]dev",
    ),
    (
        "--mount type=bind,target=/x host: sh",
        "cuddy: --mount \"type=bind,target=/x\": there is no source\n  add source=/path/on/the/host",
    ),
    (
        "--mount type=bind,source=./text,target=/x,moo=1 host: sh",
        "cuddy: --mount \"type=bind,source=./text,target=/x,moo=1\": \"moo\" is no key of a mount\n  known are type, source, \
         target, readonly, bind-propagation, bind-recursive, idmap, match-user, tmpfs-size, tmpfs-mode",
    ),
    (
        "--tmpfs /x:size=huge host: sh",
        "cuddy: --tmpfs \"/x:size=huge\": \"huge\" is no size of a tmpfs\n  known are ro, rw, [no]exec, [no]suid, [no]dev, \
         size=64m, mode=1777, uid=, gid=, nr_inodes=",
    ),
    (
        "--memory 4k host: sh",
        "cuddy: --memory \"4k\": no container can start in 4096 bytes\n  give at least 512k, or 0 for no limit",
    ),
    (
        "--memory lots host: sh",
        "cuddy: --memory \"lots\": this is no number of bytes\n  write a number with b, k, m, g, t or p, like 200m or 1.5g",
    ),
    (
        "--cpus 0.001 host: sh",
        "cuddy: --cpus \"0.001\": the kernel takes no share under 0.01 processors\n  write a number of processors, like 0.5 \
         or 2",
    ),
    (
        "--pids-limit -2 host: sh",
        "cuddy: --pids-limit \"-2\": -2 is out of range\n  write a number of processes from 1 to 4194304, or -1 for no limit",
    ),
    (
        "--device /dev/no-such host: sh",
        "cuddy: --device \"/dev/no-such\": no such file or directory\n  give a device node of this machine, or a directory \
         of them",
    ),
    (
        "--device-read-bps /dev/null:1mb host: sh",
        "cuddy: --device-read-bps \"/dev/null\": this is no block device\n  give a disk of this machine, like /dev/sda; \
         lsblk(8) lists them",
    ),
    (
        "--pid container:no-such host: sh",
        "cuddy: --pid container:no-such: no container of this name or id is running\n  start it first",
    ),
    (
        "-u nosuch host: sh",
        "cuddy: user nosuch: the root file system's /etc/passwd has no such name\n  give a number, or a name that the \
         container knows",
    ),
    (
        "--env-file ./nowhere host: sh",
        "cuddy: --env-file \"./nowhere\": no such file or directory\n  give a file that exists",
    ),
    (
        "--security-opt seccomp=./text host: sh",
        "cuddy: --security-opt seccomp=./text: the profile cannot be read: expected ident at line 1 column 2\n  the form is \
         that of Docker's profiles or of `linux.seccomp` in the OCI runtime specification",
    ),
    (
        "--userns 5:100000:10 host: sh",
        "cuddy: --userns: the map has no id for root, who owns the container's files in /proc, /dev and /sys\n  add a range \
         that begins with 0, like 0:100000:65536",
    ),
    (
        "--userns 0:100000:10 -u 20 host: sh",
        "cuddy: --userns: the map has no id for the user 20\n  add a range that has it",
    ),
    (
        "--network moo host: sh",
        "cuddy: --network \"moo\": there is no such network: networks do not exist yet\n  write none (a loopback interface \
         only, the default) or host (the host's network)",
    ),
    (
        "./text sh",
        "cuddy: cannot unpack HERE/text: not a tar archive (starts with 'text\\n')\n  expected a root file system in a tar \
         archive, plain or compressed with gzip, zstd or xz",
    ),
];

fn line((line, expect): &'static (&str, &str)) -> Trial {
    trial(&format!("refused: cuddy run {line}"), [Need::Root], || {
        let home = Home::new();
        home.write("text", "text\n");
        check(&home, line, &expect.replace("FORMS", FORMS));
    })
}

/// An archive of a root file system that `fill` adds to.
fn archive(path: &Path, fill: impl FnOnce(&mut Archive<BufWriter<File>>) -> io::Result<()>) {
    let write = || {
        let mut archive = Archive(BufWriter::new(File::create(path)?));
        let busybox = ["/bin/busybox", "/usr/bin/busybox"].into_iter().find_map(|path| fs::read(path).ok());
        archive.entry(DIRECTORY, b"bin/", b"", b"")?;
        archive.entry(FILE, b"bin/busybox", b"", &busybox.expect("busybox is installed"))?;
        archive.entry(SYMLINK, b"bin/sh", b"busybox", b"")?;
        fill(&mut archive)?;
        archive.end()
    };
    write().expect("an archive of ours");
}

/// An entry: its type, name and target. `OUTSIDE` in a target is a directory of the host with a file `victim` in it.
type Entry = (u8, &'static [u8], &'static str);

fn add(archive: &mut Archive<BufWriter<File>>, entries: &[Entry], outside: &Path) -> io::Result<()> {
    for (kind, name, target) in entries {
        let target = target.replace("OUTSIDE", outside.to_str().expect("a path of ours is text"));
        let contents = if *kind == FILE { &b"evil\n"[..] } else { b"" };
        archive.entry(*kind, name, target.as_bytes(), contents)?;
    }
    Ok(())
}

/// A directory outside of everything, and what is to be the same in it afterwards.
fn outside(home: &Home) -> std::path::PathBuf {
    home.write("outside/victim", "unharmed\n").parent().unwrap().to_owned()
}

#[track_caller]
fn check_outside(home: &Home) {
    let dir = home.dir().join("outside");
    assert_eq!(fs::read_to_string(dir.join("victim")).unwrap(), "unharmed\n");
    assert_eq!(fs::metadata(dir.join("victim")).unwrap().nlink(), 1);
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1);
    for path in ["evil", "../evil", "../../evil", "../../../evil"] {
        assert!(!home.dir().join(path).exists(), "{path}");
    }
    assert!(!Path::new("/cuddy-test-evil").exists());
}

/// What is wrong with an archive, its entries, and what is said after `cannot unpack FILE: `.
const REFUSED: [(&str, &[Entry], &str); 8] = [
    (
        "a name that leads up",
        &[(FILE, b"../evil", "")],
        "entry '../evil': the name contains '..', which could lead out of the root\n  if the archive can be trusted, unpack it \
         with tar and give the directory",
    ),
    (
        "a name that leads up in its middle",
        &[(FILE, b"a/../../evil", "")],
        "entry 'a/../../evil': the name contains '..', which could lead out of the root\n  if the archive can be trusted, \
         unpack it with tar and give the directory",
    ),
    (
        "a way through a link to the host",
        &[(SYMLINK, b"out", "OUTSIDE"), (FILE, b"out/evil", "")],
        "entry 'out/evil': its parent 'out' is not a directory (a file, or a link to nothing in the archive)\n  the archive \
         is damaged or hostile; get or make it again",
    ),
    (
        "a way through a link that leads up",
        &[(SYMLINK, b"out", "../../../../../../../../../..OUTSIDE"), (FILE, b"out/evil", "")],
        "entry 'out/evil': its parent 'out' is not a directory (a file, or a link to nothing in the archive)\n  the archive \
         is damaged or hostile; get or make it again",
    ),
    (
        "a hard link to a file of the host",
        &[(HARD_LINK, b"hard", "OUTSIDE/victim")],
        "entry 'hard': hard link to 'OUTSIDE/victim': it is not in the archive before this entry, or is a device, which is \
         not unpacked\n  the archive is damaged or hostile; get or make it again",
    ),
    (
        "a hard link that leads up",
        &[(HARD_LINK, b"hard", "../../../../../../../../../..OUTSIDE/victim")],
        "entry 'hard': the target of the hard link contains '..', which could lead out of the root\n  if the archive can be \
         trusted, unpack it with tar and give the directory",
    ),
    (
        "a hard link through a link to the host",
        &[(SYMLINK, b"out", "OUTSIDE"), (HARD_LINK, b"hard", "out/victim")],
        "entry 'hard': hard link to 'out/victim': it is not in the archive before this entry, or is a device, which is not \
         unpacked\n  the archive is damaged or hostile; get or make it again",
    ),
    (
        "a file below a file",
        &[(FILE, b"bin/busybox/x", "")],
        "entry 'bin/busybox/x': its parent 'bin/busybox' is not a directory (a file, or a link to nothing in the archive)\n  \
         the archive is damaged or hostile; get or make it again",
    ),
];

fn refused_archive((name, entries, expect): &'static (&str, &[Entry], &str)) -> Trial {
    trial(&format!("refused: an archive with {name}"), [Need::Root, Need::Program("busybox")], || {
        let home = Home::new();
        let outside = outside(&home);
        archive(&home.dir().join("root.tar"), |archive| add(archive, entries, &outside));
        let expect = expect.replace("OUTSIDE", "HERE/outside");
        check(&home, "./root.tar sh", &format!("cuddy: cannot unpack HERE/root.tar: {expect}"));
        check_outside(&home);
    })
}

/// What is odd about an archive, its entries, a script, what it prints, and what cuddy says.
type Unpacked = (&'static str, &'static [Entry], &'static str, &'static str, &'static str);

const UNPACKED: [Unpacked; 5] = [
    ("an absolute name", &[(FILE, b"/cuddy-test-evil", "")], "cat /cuddy-test-evil", "evil\n", ""),
    (
        "a file in place of a link to the host",
        &[(SYMLINK, b"out", "OUTSIDE/victim"), (FILE, b"out", "")],
        "test -h /out; echo $?; cat /out",
        "1\nevil\n",
        "",
    ),
    (
        "a link to the host, which leads nowhere inside",
        &[(SYMLINK, b"out", "OUTSIDE")],
        "cat /out/victim 2>/dev/null; echo $?",
        "1\n",
        "",
    ),
    (
        "device nodes, which are left out",
        &[(BLOCK_DEVICE, b"disk", ""), (BLOCK_DEVICE, b"bin/disk", "")],
        "ls /disk /bin/disk 2>/dev/null; echo $?",
        "1\n",
        "cuddy: HERE/root.tar: 2 device nodes are left out; the container has devices of its own\n",
    ),
    (
        "names that are not UTF-8",
        &[(FILE, b"\xff\xfe", ""), (DIRECTORY, b"d\xe9/", ""), (FILE, b"d\xe9/n\x80", "")],
        "cat /$(printf '\\377\\376') /$(printf 'd\\351/n\\200')",
        "evil\nevil\n",
        "",
    ),
];

fn unpacked_archive((name, entries, script, stdout, stderr): &'static Unpacked) -> Trial {
    trial(&format!("unpacked: an archive with {name}"), [Need::Root, Need::Program("busybox")], move || {
        let home = Home::new();
        let outside = outside(&home);
        archive(&home.dir().join("root.tar"), |archive| add(archive, entries, &outside));
        let script = format!("alias cat='busybox cat' ls='busybox ls'\n{script}");
        let done = home.run(["./root.tar", "sh", "-c", &script]).ok();
        let said = done.stderr.replace(&home.dir().display().to_string(), "HERE");
        assert_eq!((done.stdout.as_str(), said.as_str()), (*stdout, *stderr));
        check_outside(&home);
    })
}

fn truncated() {
    let home = Home::new();
    let whole = home.dir().join("whole.tar");
    archive(&whole, |_| Ok(()));
    for (filter, suffix) in [("cat", ""), ("gzip", ".gz"), ("zstd", ".zst"), ("xz", ".xz")] {
        let file = format!("cut.tar{suffix}");
        let script = format!("{filter} < whole.tar > all && head -c 300000 all > {file}");
        run(Command::new("sh").args(["-c", &script]).current_dir(home.dir())).ok();
        let (_, mut command) = home.container([&*format!("./{file}"), "sh"]);
        let done = run(&mut command);
        let begin = format!("cuddy: cannot unpack {}/{file}: entry 'bin/busybox': ", home.dir().display());
        let middle = "the archive is truncated at byte ";
        let end = " of the tar stream\n  get or make it again\n";
        let told = done.stderr.strip_prefix(&begin).and_then(|rest| rest.strip_prefix(middle));
        assert!(told.is_some_and(|rest| rest.ends_with(end)) && done.code() == 125, "{done:#?}");
        assert_eq!(state(&home), Vec::<String>::new());
    }
    for (file, length, expect) in [
        ("empty.tar", 0, "the file is empty\n  was it downloaded or written to its end?"),
        (
            "zeroes.tar",
            10240,
            "the archive has no entries\n  make it from a root file system, like `tar -C rootfs -cf rootfs.tar .`",
        ),
    ] {
        home.write(file, vec![0; length]);
        check(&home, &format!("./{file} sh"), &format!("cuddy: cannot unpack HERE/{file}: {expect}"));
    }
}

fn sparse() {
    let home = Home::new();
    let rootfs = Rootfs::new();
    File::create(rootfs.path().join("hole")).unwrap().set_len(1 << 30).unwrap();
    let mut tar = Command::new("tar");
    run(tar.arg("-C").arg(rootfs.path()).arg("-Scf").arg(home.dir().join("root.tar")).arg(".")).ok();
    let done = home.run(["./root.tar", "stat", "-c", "%s %b", "/hole"]).ok();
    assert_eq!(done.stdout, "1073741824 0\n");

    // The same as plain zeroes in a compressed archive.
    let script = "(tar -C \"$1\" -cf - . | zstd -q -1) > zeroes.tar.zst";
    run(Command::new("sh").args(["-c", script, "sh"]).arg(rootfs.path()).current_dir(home.dir())).ok();
    let (_, mut command) = home.container(["./zeroes.tar.zst", "stat", "-c", "%s %b", "/hole"]);
    assert_eq!(run_within(LONG, &mut command).ok().stdout, "1073741824 0\n");
}

fn many_entries() {
    let home = Home::in_memory();
    archive(&home.dir().join("root.tar"), |archive| {
        archive.entry(SYMLINK, b"bin/find", b"busybox", b"")?;
        for dir in 0..200 {
            archive.entry(DIRECTORY, format!("many/{dir}/").as_bytes(), b"", b"")?;
            for file in 1..1000 {
                archive.entry(FILE, format!("many/{dir}/{file}").as_bytes(), b"", b"")?;
            }
        }
        Ok(())
    });
    let (_, mut command) = home.container(["./root.tar", "sh", "-c", "find /many | busybox wc -l"]);
    assert_eq!(run_within(LONG, &mut command).ok().stdout, "200001\n");
}

fn hard_limit() {
    let home = Home::new();
    let limits = fs::read_to_string("/proc/self/limits").unwrap();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    let hard: u64 = files.split_whitespace().nth(4).unwrap().parse().unwrap();
    if Need::Capability(24).missing().is_none() {
        let nr_open: u64 = fs::read_to_string("/proc/sys/fs/nr_open").unwrap().trim().parse().unwrap();
        let expect = format!(
            "cuddy: --ulimit nofile: the hard limit here is {nr_open} and cannot be raised\n  give less, or raise fs.nr_open \
             with sysctl(8)"
        );
        check(&home, &format!("--ulimit nofile={} host: sh", nr_open + 1), &expect);
    } else {
        let expect = format!(
            "cuddy: --ulimit nofile: the hard limit here is {hard} and cannot be raised\n  give {hard} or less, or run cuddy \
             with CAP_SYS_RESOURCE"
        );
        check(&home, &format!("--ulimit nofile={} host: sh", hard + 1), &expect);
    }
}

fn name_in_use() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    let running = home.start([&rootfs.text()]);
    let done = run(&mut home.cuddy(["run", "--rm", "--name", &running.name, &rootfs.text(), "true"]));
    let name = &running.name;
    let expect = format!(
        "cuddy: cannot start {name}: container {name} exists already\n  choose another name, or remove it with `delete {name}`\n"
    );
    assert_eq!((done.stderr.as_str(), done.code()), (expect.as_str(), 125));
    // It goes on, and is the same.
    assert!(running.pid() > 0);
}

fn anothers_state() {
    let (home, rootfs) = (Home::new(), Rootfs::new());
    // Somewhere that nobody may go.
    let cuddy = home.dir().join("cuddy");
    fs::copy(binary("cuddy"), &cuddy).unwrap();
    for dir in home.dir().ancestors().take_while(|dir| dir.starts_with("/tmp/")) {
        fs::set_permissions(dir, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let before = state(&home);
    let (_, as_root) = home.container([rootfs.text().as_str(), "true"]);
    let mut command = Command::new("setpriv");
    command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"]).arg(&cuddy);
    command.args(as_root.get_args()).current_dir(home.dir());
    command.env("CUDDY_ROOT", home.root()).env("CUDDY_RUN_ROOT", home.run_root());
    let done = run(&mut command);
    let place = home.run_root().join("containers").display().to_string();
    let said = done.stderr.replace(&place, "PLACE");
    assert!(said.contains("cannot make PLACE: permission denied\n  name a directory of yours"), "{said}");
    assert_eq!(done.code(), 125);
    assert_eq!(state(&home), before);
}

fn no_mount_calls() {
    let home = Home::new();
    archive(&home.dir().join("root.tar"), |_| Ok(()));
    for root in ["host:", "./root.tar"] {
        let (_, mut command) = home.container([root, "true"]);
        let done = run(command.env("CUDDY_NO_NEW_MOUNT_API", "1"));
        let expect = "cuddy: the kernel's mount calls are not let through\n  an outer container or its seccomp filter refuses \
                      fsopen(2); allow the mount calls\n";
        assert_eq!((done.stderr.as_str(), done.code()), (expect, 125));
        assert_eq!(state(&home), Vec::<String>::new());
    }
}
