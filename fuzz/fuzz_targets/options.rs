//! Options of mounts: what people type, and the lists of words in a configuration.

#![no_main]

use std::path::Path;

use engine::options::{mount, security, sysctl, ulimit, user};
use libfuzzer_sys::fuzz_target;
use planner::{Options, Request};
use serde_json::json;
use spec::Config;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let cwd = Path::new("/work");
    for line in text.lines() {
        for request in
            [mount::volume(line, cwd), mount::tmpfs(line), mount::mount(line, cwd)].into_iter().flatten()
        {
            assert!(request.target.is_absolute(), "{line:?}: {request:?}");
        }
        let _ = (security::security(line), sysctl::sysctl(line), ulimit::ulimit(line), user::user(line));
    }
    let mut lines = text.lines();
    let kind = lines.next().unwrap_or_default();
    let words: Vec<_> = lines.collect();
    let config = json!({
        "ociVersion": "1.0.2",
        "root": { "path": "rootfs" },
        "process": { "cwd": "/", "args": ["sh"], "user": { "uid": 0, "gid": 0 } },
        "mounts": [{ "destination": "/mnt", "type": kind, "source": "/srv", "options": words }],
        "linux": { "namespaces": [{ "type": "mount" }, { "type": "pid" }] },
    });
    let config: Config = serde_json::from_value(config).expect("a configuration");
    let (id, options) = ("web".parse().expect("a name"), Options::default());
    for facts in fuzz::machines() {
        let bundle = Path::new("/bundle");
        let planned =
            planner::plan(&Request { config: &config, facts: &facts, id: &id, bundle, options: &options });
        match planned {
            Ok(planned) => assert!(!plan::render::shell_script(&planned.plan).is_empty()),
            Err(error) => assert!(!error.message.contains("contradicts itself: "), "{error}"),
        }
    }
});
