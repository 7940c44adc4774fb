//! Every setting, as the kernel and systemd have it: when a container is made, after updates, and after systemd has read its
//! configuration again. This part of the tests runs in the kernel that the others boot.

use cgroup::live::Cgroup;
use cgroup::table::{Row, rows};
use host::systemd;
use libtest_mimic::{Arguments, Trial};
use plan::facts::CgroupLayout;
use plan::unit::{Property, Value};
use serde_json::Value as Json;
use spec::{Config, ContainerId, Resources};
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};
use testbed::limits::{self, KERNELS_CHOICE, UNIFIED, WEIGHTS};

/// Set in that kernel: the program under test.
const RUNTIME: &str = "CUDDY_TEST_RUNTIME";

type Outcome = Result<(), Box<dyn Error>>;

/// The line of a shell that runs this part, where the files of the machine are below `/mnt`, the program under test is `$runtime`,
/// and a bundle is in `/tmp`.
pub fn line() -> String {
    let program = env::current_exe().expect("a program has a path");
    format!(
        "{RUNTIME}=$runtime bundle=/tmp/bundle /mnt{} --test-threads=1 --color=never 2>&1",
        program.display()
    )
}

/// Whether this is that kernel.
pub fn is_inside() -> bool {
    env::var_os(RUNTIME).is_some()
}

/// All settings, or why they are not tried.
pub fn main() -> ExitCode {
    let bare = Container::new(&Resources::default(), "bare").expect("a container without limits");
    let names = rows().map(|row| row.name.replace(' ', "_")).zip(rows().map(|row| of_row(row, &bare)));
    let unified = UNIFIED.iter().map(|(file, first, second)| {
        let samples = limits::unified(file, [first, second]);
        (format!("unified_{file}"), bare.has(&[file]).and_then(|()| bare.allows(samples)))
    });
    // The budget of a group is part of that of the group above, and systemd gives none.
    let budget = Path::new("/sys/fs/cgroup/cpu/system.slice/cpu.rt_runtime_us");
    if budget.exists() {
        fs::write(budget, "10000").expect("a budget for the slice");
    }
    let mut tried: Vec<_> = names.chain(unified).enumerate().map(Tried::new).collect();
    // All together: it takes systemd a second to read its configuration, and systemctl half a one to start.
    each(&mut tried, |one, [first, _]| one.make(first));
    look(&mut tried, |[first, _]| first, "made");
    each(&mut tried, |one, [_, second]| one.container()?.update(second));
    look(&mut tried, after, "changed");
    run(Command::new("systemctl").arg("daemon-reload")).expect("a systemd that reads its configuration");
    look(&mut tried, after, "reloaded");
    each(&mut tried, |one, [first, _]| one.container()?.update(first));
    look(&mut tried, |[first, _]| first, "changed back");
    drop(bare);
    libtest_mimic::run(&Arguments::from_args(), tried.into_iter().map(Tried::told).collect()).exit_code()
}

/// A setting with two values, and what became of them.
struct Tried {
    name: String,
    id: String,
    samples: Result<[Resources; 2], String>,
    container: Option<Container>,
    failure: Option<String>,
}

/// Does a step with all settings for which none has failed.
fn each(tried: &mut [Tried], step: impl Fn(&mut Tried, &[Resources; 2]) -> Outcome) {
    for one in tried.iter_mut().filter(|one| one.failure.is_none()) {
        let Ok(samples) = one.samples.clone() else { continue };
        one.failure = step(one, &samples).err().map(|error| error.to_string());
    }
}

/// Looks whether the kernel and systemd have these values.
fn look(tried: &mut [Tried], which: fn(&[Resources; 2]) -> &Resources, when: &str) {
    let shown =
        run(Command::new("systemctl").args(["show", "cuddy-row*.scope"])).expect("what systemd shows");
    each(tried, |one, samples| {
        let shown = shown.split("\n\n").find(|unit| unit.contains(&format!("\nId=cuddy-{}.scope\n", one.id)));
        one.container()?
            .holds(which(samples), shown.ok_or("systemd does not show it")?)
            .map_err(|error| format!("{when}: {error}").into())
    });
}

impl Tried {
    fn new((number, (name, samples)): (usize, (String, Result<[Resources; 2], String>))) -> Self {
        let (name, id) = (format!("setting::{name}"), format!("row{number}"));
        Self { name, id, samples, container: None, failure: None }
    }

    fn make(&mut self, resources: &Resources) -> Outcome {
        self.container = Some(Container::new(resources, &self.id)?);
        Ok(())
    }

    fn container(&self) -> Result<&Container, &'static str> {
        self.container.as_ref().ok_or("there is no container")
    }

    fn told(self) -> Trial {
        let Self { name, samples, failure, .. } = self;
        match samples {
            Ok(_) => Trial::test(name, || failure.map_or(Ok(()), |failure| Err(failure.into()))),
            Err(reason) => Trial::test(name, || Ok(())).with_ignored_flag(true).with_kind(reason),
        }
    }
}

/// What holds after a change. Limits of kernel memory can be given and not changed, as for runc.
fn after([first, second]: &[Resources; 2]) -> &Resources {
    let is_fixed = first.memory.as_ref().is_some_and(|memory| memory.kernel_tcp.is_some());
    if is_fixed { first } else { second }
}

fn of_row(row: &Row, bare: &Container) -> Result<[Resources; 2], String> {
    if row.name == WEIGHTS {
        return Err("this kernel has no disk with the BFQ scheduler".to_owned());
    }
    let samples = limits::samples(row.name)?;
    if KERNELS_CHOICE.contains(&row.name) {
        let places = row.v1.iter().chain(&row.v2).flat_map(|place| [Some(place), place.fallback]).flatten();
        bare.has(&places.map(|place| place.file).collect::<Vec<_>>())?;
    }
    bare.allows(samples)
}

/// A container that waits for its start, and ends with the test.
struct Container {
    id: ContainerId,
    directory: PathBuf,
    layout: CgroupLayout,
    systemd: plan::facts::Systemd,
    group: Cgroup,
}

impl Container {
    fn new(resources: &Resources, id: &str) -> Result<Self, Box<dyn Error>> {
        let directory = env::temp_dir().join(id);
        let template = Path::new(&env::var("bundle")?).join("config.json");
        let mut config: Json = serde_json::from_slice(&fs::read(&template)?)?;
        config["linux"]["cgroupsPath"] = format!("system.slice:cuddy:{id}").into();
        config["linux"]["resources"] = serde_json::to_value(resources)?;
        config["root"]["path"] = template.with_file_name("rootfs").display().to_string().into();
        fs::create_dir_all(&directory)?;
        fs::write(directory.join("config.json"), serde_json::to_vec(&config)?)?;
        let mut container = Self {
            id: id.parse()?,
            directory,
            layout: host::cgroups()?,
            systemd: systemd()?,
            group: Cgroup::open::<&str>([])?,
        };
        let mut create = oci(&["--systemd-cgroup", "create", "--bundle"]);
        run(create.arg(&container.directory).arg(id))?;
        container.group = Cgroup::open(container.expected(resources)?.directories)?;
        Ok(container)
    }

    /// The group as the table has it.
    fn expected(&self, resources: &Resources) -> Result<cgroup::Group, Box<dyn Error>> {
        let config = serde_json::json!({ "ociVersion": "1.3.0", "linux": {
            "cgroupsPath": format!("system.slice:cuddy:{}", self.id),
            "resources": serde_json::to_value(resources)?,
        }});
        let config: Config = serde_json::from_value(config)?;
        Ok(cgroup::group_of_unit(&config, &self.layout, &self.systemd, &self.id)?)
    }

    fn properties(&self, resources: &Resources) -> Result<Vec<Property>, Box<dyn Error>> {
        Ok(self.expected(resources)?.unit.ok_or("it is no unit")?.properties)
    }

    /// Whether this kernel lets a group have such limits.
    fn allows(&self, samples: [Resources; 2]) -> Result<[Resources; 2], String> {
        self.expected(&samples[0]).map(|_| samples).map_err(|error| error.to_string())
    }

    fn has(&self, files: &[&str]) -> Result<(), String> {
        let found = files.iter().any(|file| self.group.text(file).is_ok_and(|text| text.is_some()));
        if found { Ok(()) } else { Err(format!("this kernel has no {}", files.join(", "))) }
    }

    fn update(&self, resources: &Resources) -> Outcome {
        let file = self.directory.join("resources.json");
        fs::write(&file, serde_json::to_vec(resources)?)?;
        run(oci(&["update", "--resources"]).arg(file).arg(self.id.as_str())).map(drop)
    }

    /// Looks that the files and the properties are those of the table. `shown` is what systemctl(1) shows of the unit.
    fn holds(&self, resources: &Resources, shown: &str) -> Outcome {
        let differences = self.group.differences(resources)?;
        if !differences.is_empty() {
            return Err(format!("{differences:#?}").into());
        }
        let usual = self.properties(&Resources::default())?;
        for property in self.properties(resources)?.iter().filter(|one| !usual.contains(one)) {
            let start = format!("{}=", property.name);
            let found: Vec<_> = shown.lines().filter_map(|line| line.strip_prefix(&start)).collect();
            let wanted = as_shown(property);
            if found != wanted {
                return Err(format!("{} is {found:?}, not {wanted:?}", property.name).into());
            }
        }
        Ok(())
    }
}

/// The values of a property as systemctl(1) shows them, a line for each disk.
fn as_shown(property: &Property) -> Vec<String> {
    match &property.value {
        Value::Array(kind, disks) if kind == "(st)" => disks.iter().filter_map(disk_as_shown).collect(),
        &Value::INFINITY if property.name.contains("Weight") || property.name.contains("Shares") => {
            vec!["[not set]".to_owned()]
        }
        Value::Uint64(0) if property.name == "CPUWeight" => vec!["idle".to_owned()],
        &Value::INFINITY => vec!["infinity".to_owned()],
        Value::Uint64(time) if property.name.ends_with("USec") => {
            let (seconds, rest) = (time / 1_000_000, time % 1_000_000 / 1000);
            vec![if rest == 0 { format!("{seconds}s") } else { format!("{rest}ms") }]
        }
        value => vec![value.to_string()],
    }
}

/// systemd forgets the disks that have no limit.
fn disk_as_shown(disk: &Value) -> Option<String> {
    let is_limitless = matches!(disk, Value::Struct(fields) if fields.last() == Some(&Value::INFINITY));
    (!is_limitless).then(|| disk.to_string())
}

impl Drop for Container {
    fn drop(&mut self) {
        // What stays shows in the checks that follow.
        let _ = run(oci(&["delete", "--force"]).arg(self.id.as_str()));
    }
}

fn oci(args: &[&str]) -> Command {
    let mut command = Command::new(env::var_os(RUNTIME).expect("the program under test"));
    command.args(args);
    command
}

/// What a command prints; what it says where it fails.
fn run(command: &mut Command) -> Result<String, Box<dyn Error>> {
    // To a file: a container that goes on has it open.
    let said = env::temp_dir().join("said");
    let file = fs::File::create(&said)?;
    let status =
        command.stdin(std::process::Stdio::null()).stdout(file.try_clone()?).stderr(file).status()?;
    let said = fs::read_to_string(said)?;
    if status.success() { Ok(said) } else { Err(format!("{command:?}: {status}: {said}").into()) }
}
