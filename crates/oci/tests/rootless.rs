//! Containers of ordinary users, and of root of a user namespace (user_namespaces(7)).

mod support;

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::process::{Command, ExitCode};

use probe::Report;
use serde_json::{Value, json};
use support::{SOON, set_namespace, without_steps};
use testbed::{Bundle, Done, Need, Terminal, User, run, trial, unique_name};

fn main() -> ExitCode {
    let user =
        || vec![Need::Root, Need::Program("busybox"), Need::Program("useradd"), Need::Program("setpriv")];
    let mapper = || [user(), vec![Need::Program("newuidmap")]].concat();
    let unshare = || [user(), vec![Need::Program("unshare")]].concat();
    testbed::main([
        trial(
            "spec --rootless and run, as the manual says it",
            [user(), vec![Need::Program("setsid")]].concat(),
            as_written,
        ),
        trial("the own id is all there is", user(), own_id),
        trial("ids of newuidmap are there, too", mapper(), more_ids),
        trial("the life of a container", mapper(), life),
        trial("what a user may not do is told in words", mapper(), refused),
        trial("hooks are the user's", user(), hooks),
        trial(
            "podman runs containers of an ordinary user",
            [mapper(), vec![Need::Program("podman")]].concat(),
            podman,
        ),
        trial(
            "root of a user namespace has containers without one of their own",
            unshare(),
            root_of_namespace,
        ),
    ])
}

/// A bundle of a user's, and a name. What runs under it is deleted by force when dropped.
struct Case {
    user: User,
    bundle: Bundle,
    id: String,
}

impl Case {
    /// What `spec --rootless` makes of it, but for the terminal.
    fn new() -> Case {
        let (user, bundle) = (User::new(), Bundle::busybox());
        user.take(bundle.path());
        let mut case = Case { user, bundle, id: unique_name() };
        run(case.user.command("rm").arg(case.bundle.path().join("config.json"))).ok();
        run(case.oci(&["spec", "--rootless", "--bundle"]).arg(case.bundle.path())).ok();
        let text = fs::read(case.bundle.path().join("config.json")).expect("what spec has written");
        let written: Value = serde_json::from_slice(&text).expect("a configuration");
        case.edit(|config| {
            *config = written;
            config["process"]["terminal"] = json!(false);
        });
        case
    }

    /// The same, with all ids that the user has.
    fn with_ids() -> Case {
        let mut case = Case::new();
        let map = |own: u32| {
            json!([
                { "containerID": 0, "hostID": own, "size": 1 },
                { "containerID": 1, "hostID": case.user.first, "size": 65535 },
            ])
        };
        let (users, groups) = (map(case.user.uid), map(case.user.gid));
        case.edit(|config| {
            config["linux"]["uidMappings"] = users;
            config["linux"]["gidMappings"] = groups;
        });
        case
    }

    fn edit(&mut self, change: impl FnOnce(&mut Value)) -> &mut Case {
        self.bundle.edit(change);
        self
    }

    fn args(&mut self, args: &[&str]) -> &mut Case {
        self.bundle.args(args);
        self
    }

    fn oci(&self, args: &[&str]) -> Command {
        let mut command = self.user.command("cuddy-oci");
        command.args(args);
        command
    }

    /// `cuddy-oci ARGS... --bundle DIR ID`.
    fn make(&self, args: &[&str]) -> Done {
        run(self.oci(args).arg("--bundle").arg(self.bundle.path()).arg(&self.id))
    }

    /// `cuddy-oci ARGS... ID MORE...`
    fn does(&self, args: &[&str], more: &[&str]) -> Done {
        run(self.oci(args).arg(&self.id).args(more))
    }

    #[track_caller]
    fn report(&mut self) -> Report {
        self.args(&["/bin/probe"]).make(&["run"]).ok().json()
    }

    #[track_caller]
    fn output(&mut self, script: &str) -> String {
        self.args(&["sh", "-c", script]).make(&["run"]).ok().stdout.trim_end().to_owned()
    }

    /// What a failed start says, without the number of the step.
    #[track_caller]
    fn complaint(&self, global: &[&str]) -> String {
        let done = self.make(&[global, &["run"]].concat());
        assert_eq!(done.code(), 1, "{done:#?}");
        without_steps(&done.stderr).replace(&self.id, "ID")
    }
}

impl Drop for Case {
    fn drop(&mut self) {
        let _ = self.does(&["delete", "--force"], &[]);
    }
}

fn as_written() {
    let user = User::new();
    let bundle = Bundle::busybox();
    user.take(bundle.path());
    fs::remove_file(bundle.path().join("config.json")).unwrap();
    let id = unique_name();
    run(user.command("cuddy-oci").args(["spec", "--rootless"]).current_dir(bundle.path())).ok();
    let mut command = user.command("cuddy-oci");
    let mut terminal = Terminal::start(command.args(["run", &id]).current_dir(bundle.path()));
    terminal.send("echo I am $(id -u)\n");
    terminal.expect("I am 0", SOON);
    terminal.send("exit 3\n");
    assert_eq!(terminal.wait(SOON).code(), Some(3));
    // The state was where the user's state belongs.
    assert_eq!(fs::read_dir(user.runtime_dir().join("cuddy/containers")).unwrap().count(), 0);
}

fn own_id() {
    let mut case = Case::new();
    let (uid, gid) = (case.user.uid, case.user.gid);
    let script = "cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; id -u; id -G; stat -c %u:%g /dev /dev/shm; \
                  echo written > /dev/null && echo null works; cat /proc/self/oom_score_adj; ls /sys/class | grep -c net; \
                  touch /proc/sys/kernel/hostname 2>&1; hostname";
    case.edit(|config| config["process"]["oomScoreAdj"] = json!(-900));
    let own = fs::read_to_string("/proc/self/oom_score_adj").unwrap();
    let done = case.args(&["sh", "-c", script]).make(&["run"]).ok();
    let lines: Vec<_> =
        done.stdout.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        lines,
        [
            &format!("0 {uid} 1"),
            &format!("0 {gid} 1"),
            "deny",
            "0",
            "0",
            "0:0",
            "0:0",
            "null works",
            own.trim(),
            "1",
            "touch: /proc/sys/kernel/hostname: Read-only file system",
            "cuddy",
        ]
    );
    let note = format!(
        "/process/oomScoreAdj: stays {} and not -900: it takes root of the machine to lower it",
        own.trim()
    );
    assert!(done.stderr.contains(&note), "{done:#?}");

    // Who maps no root stays who it is; and so does who maps nothing, as with crun.
    case.edit(|config| {
        config["process"]["oomScoreAdj"] = json!(700);
        config["linux"]["uidMappings"][0]["containerID"] = json!(33);
        config["linux"]["gidMappings"][0]["containerID"] = json!(44);
        config["process"]["user"] = json!({ "uid": 33, "gid": 44 });
    });
    assert_eq!(
        case.output("id -u; id -g; cat /proc/self/oom_score_adj; stat -c %u:%g /dev"),
        "33\n44\n700\n33:44"
    );
    case.edit(|config| {
        config["linux"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("Mappings"));
        config["process"]["user"] = json!({ "uid": 0, "gid": 0 });
    });
    assert_eq!(case.output("stat -c %u /bin /dev"), "0\n0");

    // Without a share in the machine's network there is a sysfs of its own.
    case.edit(|config| {
        set_namespace(config, "network", Some(json!({ "type": "network" })));
        let sys =
            config["mounts"].as_array_mut().unwrap().iter_mut().find(|mount| mount["destination"] == "/sys");
        *sys.unwrap() =
            json!({ "destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"] });
    });
    assert_eq!(case.output("ls /sys/class/net; ip -o link | wc -l"), "lo\n1");
    assert_eq!(case.report().hostname, "cuddy");
}

fn more_ids() {
    let mut case = Case::with_ids();
    let (uid, first) = (case.user.uid, case.user.first);
    case.edit(|config| {
        config["root"]["readonly"] = json!(false);
        config["process"]["user"] = json!({ "uid": 5, "gid": 6, "additionalGids": [7, 8] });
        config["mounts"]
            .as_array_mut()
            .unwrap()
            .iter_mut()
            .find(|mount| mount["destination"] == "/dev/pts")
            .unwrap()["options"]
            .as_array_mut()
            .unwrap()
            .push(json!("gid=5"));
    });
    let seen = case.output("cat /proc/self/uid_map; cat /proc/self/setgroups; id -u; id -g; id -G; touch /tmp/mine; stat -c %g /dev/pts");
    let seen: Vec<_> =
        seen.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let maps = (format!("0 {uid} 1"), format!("1 {first} 65535"));
    assert_eq!(seen, [&*maps.0, &maps.1, "allow", "5", "6", "6 7 8", "0"]);
    let file = case.bundle.rootfs().join("tmp/mine").metadata().unwrap();
    assert_eq!((file.uid(), file.gid()), (first + 4, first + 5));

    // Root, too, may be somebody else on the machine.
    case.edit(|config| {
        config["linux"]["uidMappings"] = json!([{ "containerID": 0, "hostID": first, "size": 100 }]);
        config["linux"]["gidMappings"] = json!([{ "containerID": 0, "hostID": first, "size": 100 }]);
        config["process"]["user"] = json!({ "uid": 0, "gid": 0 });
        config["process"]["oomScoreAdj"] = json!(700);
    });
    assert_eq!(case.output("cat /proc/self/oom_score_adj; id -u"), "700\n0");
}

fn life() {
    let mut case = Case::with_ids();
    case.args(&["sh", "-c", "sleep 1000 & exec sleep 1000"]).make(&["create"]).ok();
    let status = |case: &Case| case.does(&["state"], &[]).ok().json::<Value>()["status"].clone();
    assert_eq!(status(&case), "created");
    case.does(&["start"], &[]).ok();
    assert_eq!(status(&case), "running");
    let listed = run(&mut case.oci(&["list", "--quiet"])).ok();
    assert_eq!(listed.stdout.trim(), case.id);

    let seen = case.does(
        &["exec", "--user", "5:6", "--additional-gids", "7", "--cwd", "/tmp"],
        &["sh", "-c", "id -u; id -G; pwd"],
    );
    assert_eq!(seen.ok().stdout, "5\n6 7\n/tmp\n");
    let namespaces = |process: &str| {
        let script = format!("for name in user pid mnt net; do readlink /proc/{process}/ns/$name; done");
        case.does(&["exec"], &["sh", "-c", &script]).ok().stdout
    };
    assert_eq!(namespaces("self"), namespaces("1"));
    assert_eq!(case.does(&["exec"], &["sh", "-c", "exit 7"]).code(), 7);
    let process = json!({
        "cwd": "/", "args": ["cat", "/proc/self/oom_score_adj"], "user": { "uid": 0, "gid": 0 }, "oomScoreAdj": 800,
    });
    let file = case.bundle.path().join("process.json");
    fs::write(&file, process.to_string()).unwrap();
    let scored = run(&mut case.oci(&["exec", "--process", file.to_str().unwrap(), &case.id]));
    assert_eq!(scored.ok().stdout, "800\n");

    // There is no cgroup, so its processes are those of its pid namespace.
    case.does(&["exec", "--detach", "--user", "5"], &["sleep", "1000"]).ok();
    let count = |case: &Case| case.does(&["ps", "--format", "json"], &[]).ok().json::<Vec<i32>>().len();
    assert_eq!(count(&case), 3);
    for command in ["pause", "events"] {
        let done = case.does(&[command], &[]);
        assert!(
            done.stderr.contains("has no cgroups") && done.stderr.contains("delegated to the user"),
            "{done:#?}"
        );
    }
    let done = case.does(&["checkpoint"], &[]);
    assert!(done.stderr.contains("a checkpoint takes root of the machine"), "{done:#?}");

    case.does(&["kill", "--all"], &["USR1"]).ok();
    support::eventually("all but init, who ignores it, have ended", || count(&case) == 1);
    case.does(&["kill"], &["KILL"]).ok();
    support::eventually("it has ended", || status(&case) == "stopped");
    case.does(&["delete"], &[]).ok();
    assert_eq!(run(&mut case.oci(&["list", "--quiet"])).ok().stdout, "");
}

/// What is changed of the configuration, the options before `run`, and what is said.
type Bad = (fn(&mut Value), &'static [&'static str], &'static str);

fn refused() {
    let table: [Bad; 9] = [
        (
            |config| set_namespace(config, "user", None),
            &[],
            "/linux/uidMappings: ids are mapped without a user namespace\n  add {\"type\": \"user\"} to \
             /linux/namespaces, or drop the mappings",
        ),
        (
            |config| {
                set_namespace(config, "user", None);
                config["linux"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("Mappings"));
            },
            &[],
            "/linux/namespaces: a rootless container requires a user namespace\n  add {\"type\": \"user\"} to \
             /linux/namespaces with uidMappings and gidMappings, as `spec --rootless` does, or run it as root",
        ),
        (
            |config| config["linux"]["uidMappings"][1]["hostID"] = json!(1),
            &[],
            "map user ids with /usr/bin/newuidmap: it failed with exit code 1: newuidmap: uid range [1-65536) -> \
             [1-65536) not allowed (step S of N, from /linux/uidMappings)\n  the ranges must be the user's own, in \
             /etc/subuid and /etc/subgid (`usermod --add-subuids`), and the program setuid root or with its file \
             capability",
        ),
        (
            |config| {
                config["linux"]["gidMappings"].as_array_mut().unwrap().pop();
                config["process"]["user"]["additionalGids"] = json!([7]);
            },
            &[],
            "/process/user/additionalGids: setgroups(2) is denied in the user namespace, so no groups can be added\n  \
             drop them, or map more groups than the own one, which newgidmap(1) does",
        ),
        (
            |config| {
                config["linux"]["gidMappings"].as_array_mut().unwrap().pop();
                config["mounts"][2]["options"] = json!(["newinstance", "gid=5"]);
            },
            &[],
            "/mounts/2/options: gid=5 has no mapping in the user namespace\n  drop it, or extend gidMappings",
        ),
        (
            |config| {
                config["mounts"].as_array_mut().unwrap().push(json!({
                    "destination": "/tmp", "source": "/tmp", "options": ["rbind", "idmap"],
                }))
            },
            &[],
            "/mounts/7/options: to map the owners of files takes root of the machine\n  drop idmap and the mappings, or \
             run it as root",
        ),
        (
            |config| {
                config["linux"]["devices"] =
                    json!([{ "path": "/dev/odd", "type": "c", "major": 1, "minor": 3 }])
            },
            &[],
            "copy the mount of /dev/odd: no such file or directory (step S of N, from /linux/devices/0)\n  the path does \
             not exist on the machine; create it, or correct the source",
        ),
        (
            |config| config["linux"]["resources"] = json!({ "pids": { "limit": 20 } }),
            &[],
            "/linux/resources/pids/limit: cannot be set: the cgroup GROUP cannot be made by this user\n  start the runtime \
             in a cgroup v2 that is delegated to the user (`systemd-run --user --scope -p Delegate=yes`), or drop the limit",
        ),
        (
            |_| {},
            &["--rootless=false"],
            "make cgroup GROUP: permission denied (step S of N, from /linux/cgroupsPath)",
        ),
    ];
    let mut case = Case::with_ids();
    let good = case.bundle.config().clone();
    for (change, global, message) in table {
        case.edit(|config| {
            *config = good.clone();
            change(config);
        });
        let said = without_group(&case.complaint(global));
        // What is to be done about a group depends on where the machine has its own.
        let told =
            if message.contains('\n') { said.as_str() } else { said.lines().next().unwrap_or_default() };
        assert_eq!(told.trim_end(), format!("cuddy-oci: error: cannot start ID: {message}"));
        assert_eq!(run(&mut case.oci(&["list", "--quiet"])).ok().stdout, "", "{message}");
    }
    case.edit(|config| *config = good);
    let said = case.complaint(&["--root", "/etc/cuddy-of-a-user"]);
    let why = "cannot make /etc/cuddy-of-a-user/containers: permission denied\n  name a directory of yours with --root \
               (`cuddy`: --run-root), or set XDG_RUNTIME_DIR";
    assert_eq!(said, format!("cuddy-oci: error: cannot start ID: {why}\n"));
}

/// Where a group would be depends on the machine.
fn without_group(message: &str) -> String {
    let word = |word: &str| match word.starts_with("/sys/fs/cgroup") {
        true if word.ends_with(':') => "GROUP:".to_owned(),
        true => "GROUP".to_owned(),
        false => word.to_owned(),
    };
    message.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn hooks() {
    let mut case = Case::new();
    let notes = case.user.home().join("notes");
    let hook = |name: &str| {
        let script = format!("read state; echo {name} $(id -u) >> {}", notes.display());
        json!([{ "path": "/bin/sh", "args": ["sh", "-c", script] }])
    };
    let hooks =
        json!({ "createRuntime": hook("made"), "poststart": hook("started"), "poststop": hook("gone") });
    case.edit(|config| config["hooks"] = hooks);
    case.args(&["true"]).make(&["run"]).ok();
    let uid = case.user.uid;
    assert_eq!(fs::read_to_string(notes).unwrap(), format!("made {uid}\nstarted {uid}\ngone {uid}\n"));
}

/// `podman unshare`, and podman itself, call the runtime so.
fn root_of_namespace() {
    let mut case = Case::new();
    case.edit(|config| {
        set_namespace(config, "user", None);
        config["linux"].as_object_mut().unwrap().retain(|name, _| !name.ends_with("Mappings"));
        config["process"]["args"] =
            json!(["sh", "-c", "id -u; cat /proc/self/uid_map; echo > /dev/null && echo null works"]);
    });
    let within = |options: &[&str], args: &[&str]| {
        let mut command = case.user.command("unshare");
        run(command
            .args(options)
            .arg("cuddy-oci")
            .args(args)
            .arg("--bundle")
            .arg(case.bundle.path())
            .arg(&case.id))
    };
    let done = within(&["-Urm"], &["run"]).ok();
    let words: Vec<_> = done.stdout.split_whitespace().collect();
    assert_eq!(words, ["0", "0", &case.user.uid.to_string(), "1", "null", "works"]);

    // Among mounts that are not its own it may make none.
    let done = within(&["-Ur"], &["run"]);
    assert!(done.stderr.contains("a rootless container requires a user namespace"), "{done:#?}");
    let own = json!([{ "containerID": 0, "hostID": 0, "size": 1 }]);
    case.edit(|config| {
        set_namespace(config, "user", Some(json!({ "type": "user" })));
        config["linux"]["uidMappings"] = own.clone();
        config["linux"]["gidMappings"] = own;
    });
    for options in [&["-Ur"], &["-Urm"]] {
        let mut command = case.user.command("unshare");
        let done = run(command
            .args(options)
            .args(["cuddy-oci", "run", "--bundle"])
            .arg(case.bundle.path())
            .arg(&case.id))
        .ok();
        let words: Vec<_> = done.stdout.split_whitespace().collect();
        assert_eq!(words, ["0", "0", "0", "1", "null", "works"], "{options:?}");
    }
}

/// Its own user namespace is the container's, or above the container's.
fn podman() {
    let mut case = Case::new();
    case.args(&["true"]);
    let home = case.user.home().to_owned();
    let engine = "[containers]\ndefault_ulimits = []\n[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n";
    fs::write(home.join("containers.conf"), engine).unwrap();
    fs::write(home.join("storage.conf"), "[storage]\ndriver = \"vfs\"\n").unwrap();
    let podman = |args: &[&str]| {
        let mut command = case.user.command("env");
        command.arg(format!("CONTAINERS_CONF={}/containers.conf", home.display()));
        command.arg(format!("CONTAINERS_STORAGE_CONF={}/storage.conf", home.display()));
        command.args(["podman", "--runtime"]).arg(home.join("bin/cuddy-oci"));
        run(command.args(args))
    };
    let (rootfs, name, uid) = (case.bundle.rootfs(), unique_name(), case.user.uid.to_string());
    let rootfs = rootfs.to_str().expect("a path of ours");
    let script = ["sh", "-c", "id -u; head -n 1 /proc/self/uid_map"];
    let plain = podman(&[&["run", "--rm", "--network", "none", "--rootfs", rootfs], &script[..]].concat());
    let kept = podman(
        &[&["run", "--rm", "--network", "none", "--userns", "keep-id", "--rootfs", rootfs], &script[..]]
            .concat(),
    );
    let started =
        podman(&["run", "-d", "--name", &name, "--network", "none", "--rootfs", rootfs, "sleep", "1000"]);
    let executed = podman(&["exec", &name, "id", "-u"]);
    let removed = podman(&["rm", "--force", "--time", "0", &name]);
    // A process of podman's own stays with the user until then.
    podman(&["system", "migrate"]).ok();
    let words = |done: Done| done.ok().stdout.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(words(plain), ["0", "0", &uid, "1"]);
    assert_eq!(words(kept), [&uid, "0", "1", &uid]);
    started.ok();
    assert_eq!(words(executed), ["0"]);
    removed.ok();
}
