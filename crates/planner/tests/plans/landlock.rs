//! Rules for Landlock: what an annotation says, and what the plan has of it on kernels of all ages.

use crate::support::{facts, hybrid, plan_on, usual};
use plan::Op;
use plan::facts::HostFacts;
use plan::landlock::{FS, NET, SCOPE};
use planner::Options;
use serde_json::json;

/// The version that has all that is used.
const NEW: u32 = 6;

/// The rules that the plan ends with, and its notes.
fn planned(rules: &str, abi: u32) -> Result<String, String> {
    let mut config = usual();
    config["annotations"] = json!({ "run.cuddy.landlock": rules });
    let facts = HostFacts { landlock: abi, ..facts(hybrid()) };
    let planned = plan_on(&config, &facts, &Options::default()).map_err(|error| error.to_string())?;
    let rules = planned.plan.init.0.iter().find_map(|step| match &step.op {
        Op::Restrict { rules } => Some(rules),
        _ => None,
    });
    let said = rules.map(|rules| {
        let names = |kind: plan::landlock::Kind, bits| {
            kind.of(bits).map(|right| right.name).collect::<Vec<_>>().join(" ")
        };
        let paths =
            rules.paths.iter().map(|(path, bits)| format!("{}: {}", path.display(), names(FS, *bits)));
        let ports = rules.ports.iter().map(|(port, bits)| format!("{port}: {}", names(NET, *bits)));
        let all = [format!("fs {}", rules.fs.count_ones()), format!("net {}", names(NET, rules.net))];
        let scopes = format!("scopes {}", names(SCOPE, rules.scopes));
        all.into_iter().chain([scopes]).chain(paths).chain(ports).collect::<Vec<_>>().join("; ")
    });
    Ok(planned.notes.into_iter().chain(said).collect::<Vec<_>>().join(" | "))
}

const AT: &str = "/annotations/run.cuddy.landlock";

#[test]
fn rules_are_read_and_fitted_to_the_kernel() {
    let one = r#"{"paths": [{"path": "/./srv/", "access": ["read", "execute"]}, {"path": "/", "access": ["make_dir"]}]}"#;
    let ports = r#"{"bind": [80, 443], "connect": []}"#;
    let scopes = r#"{"scopes": ["signal"]}"#;
    let cases: [(&str, u32, Result<&str, &str>); 18] = [
        (one, NEW, Ok("fs 16; net ; scopes ; /srv: execute read_file read_dir; /: make_dir")),
        (ports, NEW, Ok("fs 0; net bind_tcp connect_tcp; scopes ; 80: bind_tcp; 443: bind_tcp")),
        (scopes, NEW, Ok("fs 0; net ; scopes signal")),
        (r#"{"paths": []}"#, NEW, Ok("fs 16; net ; scopes ")),
        (one, 3, Err("Landlock of this kernel (version 3) cannot deny ioctl_dev")),
        (one, 1, Err("Landlock of this kernel (version 1) cannot deny refer, truncate, ioctl_dev")),
        (ports, 3, Err("Landlock of this kernel (version 3) cannot deny bind_tcp, connect_tcp")),
        (scopes, 5, Err("Landlock of this kernel (version 5) cannot deny signal")),
        (scopes, 0, Err("Landlock is not on in this kernel")),
        (
            r#"{"bestEffort": true, "paths": [{"path": "/", "access": ["ioctl_dev"]}], "bind": [80]}"#,
            1,
            Ok("Landlock of this kernel (version 1) cannot deny refer, truncate, ioctl_dev, bind_tcp | \
                fs 13; net ; scopes "),
        ),
        (r#"{"bestEffort": true, "bind": []}"#, 0, Ok("Landlock is not on in this kernel")),
        ("{}", NEW, Err("it takes nothing away")),
        ("[]", NEW, Err("invalid type: sequence, expected struct Landlock at line 1 column 2")),
        (
            r#"{"path": []}"#,
            NEW,
            Err(
                "/path: unknown field `path`, expected one of `bestEffort`, `paths`, `bind`, `connect`, `scopes` at line 1 column 7",
            ),
        ),
        (r#"{"paths": [{"path": "a", "access": ["read"]}]}"#, NEW, Err("a is no path below the root")),
        (
            r#"{"paths": [{"path": "/a/..", "access": ["read"]}]}"#,
            NEW,
            Err("/a/.. is no path below the root"),
        ),
        (r#"{"paths": [{"path": "/a", "access": ["reed"]}]}"#, NEW, Err("there is no access \"reed\"")),
        (r#"{"paths": [{"path": "/a", "access": []}]}"#, NEW, Err("it allows nothing")),
    ];
    for (rules, abi, expect) in cases {
        let found = planned(rules, abi);
        match (&found, expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect, "{rules}"),
            (Err(found), Err(expect)) => {
                assert!(found.starts_with(AT) && found.ends_with(expect), "{rules}: {found}")
            }
            _ => panic!("{rules}: {found:?}"),
        }
    }
    assert!(
        planned(r#"{"scopes": ["all"]}"#, NEW).unwrap_err().ends_with("/scopes/0: there is no scope \"all\"")
    );
}

#[test]
fn a_plan_shows_the_calls() {
    let rules = plan::Landlock {
        fs: 0b101,
        net: 1,
        scopes: 2,
        paths: vec![("/srv".into(), 0b100)],
        ports: vec![(80, 1)],
    };
    let calls = plan::render::calls(&Op::Restrict { rules });
    let calls: Vec<_> = calls.iter().map(ToString::to_string).collect();
    assert_eq!(
        calls,
        [
            "landlock_create_ruleset({handled_access_fs=LANDLOCK_ACCESS_FS_EXECUTE|LANDLOCK_ACCESS_FS_READ_FILE, \
             handled_access_net=LANDLOCK_ACCESS_NET_BIND_TCP, scoped=LANDLOCK_SCOPE_SIGNAL}, 24, 0) = $ruleset",
            "openat(AT_FDCWD, \"/srv\", O_PATH|O_CLOEXEC) = $path",
            "landlock_add_rule($ruleset, LANDLOCK_RULE_PATH_BENEATH, \
             {allowed_access=LANDLOCK_ACCESS_FS_READ_FILE, parent_fd=$path}, 0)",
            "landlock_add_rule($ruleset, LANDLOCK_RULE_NET_PORT, {allowed_access=LANDLOCK_ACCESS_NET_BIND_TCP, \
             port=80}, 0)",
            "landlock_restrict_self($ruleset, 0)",
        ]
    );
}
