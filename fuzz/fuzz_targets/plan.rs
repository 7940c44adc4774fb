//! Any configuration becomes a plan that can be shown in every way, or an error that names a field. The planner checks each
//! of its plans itself, and says so where one contradicts itself: that is found here, too.

#![no_main]

use std::path::Path;

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use planner::{Options, Request, Start};
use spec::{Config, NamespaceKind};

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|json: &[u8]| {
    let Ok(config) = Config::from_slice(json) else { return };
    let id = "web".parse().expect("a name");
    for facts in fuzz::machines() {
        for start in [Start::AtOnce, Start::OnRequest] {
            let options = Options { start, ..Options::default() };
            let bundle = Path::new("/bundle");
            let request = Request { config: &config, facts: &facts, id: &id, bundle, options: &options };
            shown(planner::plan(&request));
        }
        shown(planner::exec(&planner::ExecRequest {
            config: &config,
            facts: &facts,
            id: &id,
            namespaces: &[NamespaceKind::Pid, NamespaceKind::Mount],
            unified: Some(Path::new("/sys/fs/cgroup/web")),
            cgroups: &["/sys/fs/cgroup/pids/web".into()],
            state: &state(),
            options: &Options::default(),
        }));
    }
});

fn state() -> plan::State {
    plan::State {
        oci_version: spec::VERSION.to_owned(),
        id: "web".to_owned(),
        status: plan::Status::Running,
        pid: Some(1),
        bundle: "/bundle".into(),
        annotations: Default::default(),
    }
}

fn shown(planned: Result<planner::Planned, planner::Error>) {
    match planned {
        Ok(planned) => {
            let json = serde_json::to_string(&planned.plan).unwrap_or_default();
            let texts =
                [json, plan::render::syscalls(&planned.plan), plan::render::shell_script(&planned.plan)];
            assert!(texts.iter().all(|text| !text.is_empty()));
        }
        Err(error) => assert!(!error.message.contains("contradicts itself: "), "{error}"),
    }
}
