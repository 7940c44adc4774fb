//! Groups of a container's own, inside.

use crate::support::{self, Case, eventually};
use serde_json::{Value, json};
use std::fs;
use testbed::{Need, Trial, run, trial};

pub fn trials() -> Vec<Trial> {
    let busybox = [Need::Root, Need::Program("busybox")];
    let on_v2 = [Need::Root, Need::Program("busybox"), Need::CgroupVersion(2)];
    vec![
        trial("root of a container makes groups inside, which go with it", busybox, own_tree),
        trial(
            "a container in a user namespace owns its group on v2, and not its limits",
            on_v2.clone(),
            owned,
        ),
        trial("where groups may not be made the error says where cuddy is", [Need::Root], refused),
        trial("a group is not given to who may only look at it", on_v2, read_only),
    ]
}

/// The container's group on `/sys/fs/cgroup`, for writing too unless it is `ro`.
fn with_groups(config: &mut Value, options: &[&str]) {
    support::set_namespace(config, "cgroup", Some(json!({ "type": "cgroup" })));
    let mounts = config["mounts"].as_array_mut().expect("mounts");
    mounts.retain(|mount| mount["destination"] != "/sys/fs/cgroup");
    mounts.push(
        json!({ "destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": options }),
    );
}

fn own_tree() {
    let mut case = crate::writable();
    case.edit(|config| with_groups(config, &["nosuid", "noexec", "nodev"]));
    // v2, or the hierarchies of v1 that systemd in a container lives in.
    let script = "cd /sys/fs/cgroup; [ -e cgroup.procs ] && all=. || all='systemd freezer'; \
                  for d in $all; do mkdir $d/inner && echo 0 >$d/inner/cgroup.procs || exit; done; \
                  cat /proc/self/cgroup >/done; exec sleep 1000";
    case.args(&["sh", "-c", script]).detach();
    let done = case.bundle.rootfs().join("done");
    eventually("it has a group of its own", || {
        fs::read_to_string(&done).is_ok_and(|text| text.ends_with('\n'))
    });
    let text = fs::read_to_string(&done).unwrap();
    assert!(text.lines().any(|line| line.ends_with(":/inner")), "{text}");
    let groups: Vec<_> = support::groups(case.pid()).into_iter().map(|(_, path)| path).collect();
    assert!(groups.iter().any(|group| group.ends_with(format!("cuddy-{}/inner", case.id()))), "{groups:?}");
    run(case.oci(&["delete", "--force"]).arg(case.id())).ok();
    assert!(!groups.iter().any(|group| group.exists()));
}

fn in_user_namespace(options: &[&str], script: &str) -> String {
    let mut case = Case::busybox();
    support::map_ids(&mut case);
    case.edit(|config| {
        with_groups(config, options);
        config["linux"]["resources"]["pids"] = json!({ "limit": 50 });
    });
    case.args(&["sh", "-c", script]);
    let done = case.run().ok();
    assert_eq!(case.left_behind(), Vec::<String>::new());
    done.stdout
}

fn owned() {
    let script = "cd /sys/fs/cgroup; mkdir inner && echo 0 >inner/cgroup.procs && echo +pids >cgroup.subtree_control && \
                  echo 20 >inner/pids.max && cat inner/pids.max; \
                  echo max >pids.max || cat pids.max";
    let told = in_user_namespace(&["nosuid", "noexec", "nodev"], script);
    assert_eq!(told, "20\n50\n", "it limits its own groups, and keeps within its limit");
}

fn read_only() {
    let told =
        in_user_namespace(&["ro"], "stat -c %u /sys/fs/cgroup; mkdir /sys/fs/cgroup/inner || echo refused");
    assert_eq!(told, "65534\nrefused\n");
}

fn refused() {
    let mut case = Case::probe();
    case.args(&["/bin/probe"]);
    // The machine's groups as somebody sees them who was given none: in a mount namespace of this command's own.
    let script = "for m in /sys/fs/cgroup /sys/fs/cgroup/unified; do \
                  mountpoint -q $m && mount -o remount,bind,ro $m; done; exec \"$@\"";
    let run_it = case.make(&["run"]);
    let mut command = std::process::Command::new("unshare");
    command.args(["--mount", "sh", "-c", script, "sh"]).arg(run_it.get_program()).args(run_it.get_args());
    let done = run(&mut command);
    assert_eq!(done.code(), 1, "{done:#?}");
    assert!(done.stderr.contains("cuddy is in "), "{done:#?}");
    assert!(done.stderr.contains("is not delegated to it; start it where one is"), "{done:#?}");
    assert_eq!(case.left_behind(), Vec::<String>::new());
}
