//! The `config.json` that `spec` writes to start from.

use runtime::Error;
use serde_json::{Value, json};
use std::path::Path;

/// Writes the template into a bundle that has no configuration yet.
pub(crate) fn write(bundle: &Path, rootless: bool) -> Result<(), Error> {
    let path = bundle.join("config.json");
    let text = serde_json::to_string_pretty(&config(rootless)).unwrap_or_default();
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&path)
        .map_err(|error| Error::writing(&path, error))?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(|error| Error::writing(&path, error))
}

/// What every bundle begins with; a file is smaller than the code that would put it together.
const TEMPLATE: &str = include_str!("template.json");

fn config(rootless: bool) -> Value {
    let mut config: Value = serde_json::from_str(TEMPLATE).unwrap_or_default();
    config["ociVersion"] = spec::VERSION.into();
    // As runc's: a cgroup namespace where v2 is all there is.
    if host::cgroups().is_ok_and(|layout| layout.is_unified()) {
        add_namespace(&mut config, "cgroup");
    }
    if rootless {
        for_rootless(&mut config);
    }
    config
}

/// As runc's `spec --rootless`: a user namespace with the own ids, the machine's network and with it the machine's sysfs,
/// and nothing that names other ids or asks for limits.
fn for_rootless(config: &mut Value) {
    let own = |id: u32| json!([{ "containerID": 0, "hostID": id, "size": 1 }]);
    let linux = &mut config["linux"];
    linux["uidMappings"] = own(rustix::process::geteuid().as_raw());
    linux["gidMappings"] = own(rustix::process::getegid().as_raw());
    if let Some(linux) = linux.as_object_mut() {
        linux.remove("resources");
    }
    if let Some(namespaces) = linux["namespaces"].as_array_mut() {
        namespaces.retain(|namespace| namespace["type"] != "network");
    }
    add_namespace(config, "user");
    for mount in config["mounts"].as_array_mut().into_iter().flatten() {
        if mount["destination"] == "/sys" {
            let options = ["rbind", "nosuid", "noexec", "nodev", "ro"];
            *mount = json!({ "destination": "/sys", "type": "none", "source": "/sys", "options": options });
        } else if let Some(options) = mount["options"].as_array_mut() {
            let names_id = |option: &Value| {
                option.as_str().is_some_and(|option| option.starts_with("gid=") || option.starts_with("uid="))
            };
            options.retain(|option| !names_id(option));
        }
    }
}

fn add_namespace(config: &mut Value, kind: &str) {
    if let Some(namespaces) = config["linux"]["namespaces"].as_array_mut() {
        namespaces.push(json!({ "type": kind }));
    }
}
