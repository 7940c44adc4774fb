//! What a shell sees of each option, with the ids of the machine and in a user namespace.

use testbed::{Need, Trial, trial};

use crate::common::Home;
use crate::run_row;

pub(crate) fn trials() -> Vec<Trial> {
    let on_the_machine = SHELL.iter().map(|row| shell_row("", row));
    let mapped = SHELL.iter().filter(|(options, ..)| *options != OF_ROOT);
    let in_a_user_namespace = mapped.map(|row| shell_row("--userns auto", row));
    on_the_machine.chain(in_a_user_namespace).collect()
}

/// Options, a script, and what it prints.
pub(crate) type Row = (&'static str, &'static str, &'static str);

pub(crate) const SHELL: [Row; 49] = [
    ("-e A=1 -e B=two", "echo $A $B", "1 two"),
    ("-e CUDDY_TEST_HERE", "echo $CUDDY_TEST_HERE", "from here"),
    ("", "echo ${CUDDY_TEST_HERE-unset}", "unset"),
    ("-e HOME=/etc -e PATH=/bin", "echo $HOME $PATH", "/etc /bin"),
    ("--env-file ./vars", "echo $A, $B, $CUDDY_TEST_HERE", "1, x y, from here"),
    ("--env-file ./vars -e A=2", "echo $A", "2"),
    ("-w /etc", "pwd", "/etc"),
    ("-w /made/for/it", "pwd; stat -c %a .", "/made/for/it\n755"),
    ("-u user", "id -u; id -g; id -G; echo $HOME", "1000\n1000\n1000 100\n/home"),
    ("-u user:users", "id -u; id -g; id -G", "1000\n100\n100"),
    ("-u 7:8", "id -u; id -g; id -G; echo $HOME", "7\n8\n8\n/"),
    ("-u 1000", "touch /x 2>/dev/null || echo refused; touch /tmp/x && echo allowed", "refused\nallowed"),
    ("--hostname web", "hostname; cat /etc/hostname; grep -c -w web /etc/hosts", "web\nweb\n1"),
    ("--hostname web", "hostname other 2>/dev/null || echo refused", "refused"),
    ("--domainname site", "cat /proc/sys/kernel/domainname", "site"),
    (
        "--read-only",
        "touch /x 2>/dev/null || echo refused; touch /dev/shm/x && echo allowed",
        "refused\nallowed",
    ),
    ("--read-only --tmpfs /tmp", "touch /tmp/x && echo allowed", "allowed"),
    (
        "-v ./conf:/etc/conf:ro",
        "cat /etc/conf/file; touch /etc/conf/x 2>/dev/null || echo refused",
        "from the host\nrefused",
    ),
    ("-v ./conf/file:/new/dir/one", "cat /new/dir/one", "from the host"),
    ("-v ./conf/file:/etc/passwd:ro", "cat /etc/passwd", "from the host"),
    ("-v .:/here", "cat /here/conf/file", "from the host"),
    ("-v ./conf:/a -v ./conf:/a/b/c", "cat /a/file /a/b/c/file", "from the host\nfrom the host"),
    (
        "--mount type=bind,source=./conf,target=/c,readonly",
        "cat /c/file; touch /c/x 2>/dev/null || echo refused",
        "from the host\nrefused",
    ),
    (
        "--mount type=tmpfs,target=/t,tmpfs-size=1m,tmpfs-mode=1700",
        "df -k /t | awk 'END{print $2}'; stat -c %a /t",
        "1024\n1700",
    ),
    ("--tmpfs /run:size=2m,mode=711", "df -k /run | awk 'END{print $2}'; stat -c %a /run", "2048\n711"),
    ("--tmpfs /t", "cp /bin/busybox /t/; /t/busybox true 2>/dev/null || echo noexec", "noexec"),
    ("--tmpfs /t:exec", "cp /bin/busybox /t/; /t/busybox echo exec", "exec"),
    ("", "df -k /dev/shm | awk 'END{print $2}'", "65536"),
    ("--shm-size 3m", "df -k /dev/shm | awk 'END{print $2}'", "3072"),
    ("--ulimit nofile=100:200 --ulimit core=0", "ulimit -n; ulimit -Hn; ulimit -c", "100\n200\n0"),
    ("--cap-drop CHOWN", "touch /x; chown 7 /x 2>/dev/null || echo refused", "refused"),
    ("--cap-drop ALL --cap-add CHOWN", "touch /x; chown 7 /x; stat -c %u /x", "7"),
    ("", "mount -t tmpfs none /tmp 2>/dev/null || echo refused", "refused"),
    ("--cap-add SYS_ADMIN", "mount -t tmpfs none /tmp && echo allowed", "allowed"),
    (
        "--privileged",
        "mount -t tmpfs none /tmp && test -w /proc/sys/kernel/domainname && echo allowed",
        "allowed",
    ),
    ("", "grep -E 'NoNewPrivs|Seccomp:' /proc/self/status", "NoNewPrivs:\t0\nSeccomp:\t2"),
    ("--security-opt no-new-privileges", "grep NoNewPrivs /proc/self/status", "NoNewPrivs:\t1"),
    ("--security-opt seccomp=unconfined", "grep Seccomp: /proc/self/status", "Seccomp:\t0"),
    (
        "--security-opt seccomp=./no-mkdir.json",
        "mkdir /x 2>/dev/null || echo refused; touch /y && echo allowed",
        "refused\nallowed",
    ),
    (
        "--security-opt landlock=./read-only.json",
        "touch /y 2>&1 | grep -o 'Permission denied'",
        "Permission denied",
    ),
    ("--security-opt systempaths=unconfined", "grep -c ' /proc/[a-z]' /proc/self/mountinfo; true", "0"),
    ("--sysctl net.ipv4.ip_forward=1", "cat /proc/sys/net/ipv4/ip_forward", "1"),
    (
        "--sysctl kernel.msgmax=65536 --sysctl fs.mqueue.msg_max=20",
        "cd /proc/sys; cat kernel/msgmax fs/mqueue/msg_max",
        "65536\n20",
    ),
    ("--ipc none", "grep -c /dev/shm /proc/self/mountinfo; true", "0"),
    ("--entrypoint echo", "x", "sh -c x"),
    ("--oom-score-adj 500", "cat /proc/self/oom_score_adj", "500"),
    ("--device /dev/fuse", "stat -c '%t %T' /dev/fuse; true < /dev/fuse && echo opened", "a e5\nopened"),
    (
        "--device /dev/fuse:/dev/other:r",
        "true < /dev/other && echo read; (true > /dev/other) 2>/dev/null || echo refused",
        "read\nrefused",
    ),
    ("--init", "echo $$; grep -c ^cuddy-init /proc/1/cmdline", "2\n1"),
];

/// What takes root of the machine: a place for a mount is made in a directory of the machine's.
const OF_ROOT: &str = "-v ./conf:/a -v ./conf:/a/b/c";

fn shell_row(users: &str, (options, script, expect): &'static Row) -> Trial {
    let device = options.contains("/dev/fuse").then_some(Need::Path("/dev/fuse"));
    let landlock = options.contains("landlock").then_some(Need::Landlock(5));
    let needs = [Need::Root, Need::Program("busybox")].into_iter().chain(device).chain(landlock);
    let options = [users, options].join(" ").trim().to_owned();
    trial(&format!("[{options}] {script}"), needs, move || {
        let done = run_row(&Home::new(), &options, &["sh", "-c", script]);
        assert_eq!(done.stdout.trim_end(), *expect, "{done:#?}");
        // A machine may lack a capability that was not asked for by name: that is said, once.
        let said: Vec<_> = done.stderr.lines().collect();
        let note = |line: &&str| {
            options.contains("--privileged") && line.contains("the container goes without CAP_")
        };
        assert!(said.is_empty() || said.len() == 1 && said.iter().all(note), "{done:#?}");
    })
}
