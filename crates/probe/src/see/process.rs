//! The process: `/proc/self` and the system calls about oneself.

use std::collections::BTreeSet;
use std::{env, fs, io};

use probe::{Cgroup, IdMap, Report, Scheduling};

use super::malformed;

/// Capability numbers are indexes into this list; see capabilities(7).
const CAPABILITIES: [&str; 41] = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
];

pub fn process(report: &mut Report) -> io::Result<()> {
    let uname = rustix::system::uname();
    report.hostname = uname.nodename().to_string_lossy().into_owned();
    report.domainname = uname.domainname().to_string_lossy().into_owned();

    let process = &mut report.process;
    process.args = env::args_os().map(|arg| arg.to_string_lossy().into_owned()).collect();
    process.env =
        env::vars_os().map(|(k, v)| (k.to_string_lossy().into(), v.to_string_lossy().into())).collect();
    process.cwd = rustix::process::getcwd(Vec::new())?.to_string_lossy().into_owned();
    process.dumpable = rustix::process::dumpable_behavior()? as u32;

    process.exe = fs::read_link("/proc/self/exe")?.to_string_lossy().into_owned();
    process.oom_score_adj = number(&fs::read_to_string("/proc/self/oom_score_adj")?)?;
    let personality = fs::read_to_string("/proc/self/personality")?;
    process.personality =
        u32::from_str_radix(personality.trim(), 16).map_err(|_| malformed("personality"))?;
    // Without a security module the file is there and reading it is an error.
    let label = fs::read_to_string("/proc/self/attr/current").ok();
    process.lsm = label.map(|label| label.trim_end_matches(['\n', '\0']).to_owned());

    // The program's name, in parentheses, may have spaces in it.
    let stat = fs::read_to_string("/proc/self/stat")?;
    let (before, after) = stat.rsplit_once(") ").ok_or_else(|| malformed("stat"))?;
    let fields: Vec<&str> = after.split(' ').collect();
    // By the numbers of proc_pid_stat(5); the third is the first here.
    let field = |number: usize| fields.get(number - 3).copied().unwrap_or_default();
    process.pid = number(before.split(' ').next().unwrap_or_default())?;
    process.ppid = number(field(4))?;
    process.pgid = number(field(5))?;
    process.sid = number(field(6))?;
    process.scheduling =
        Scheduling { nice: number(field(19))?, priority: number(field(40))?, policy: number(field(41))? };
    process.machine = uname.machine().to_string_lossy().into_owned();
    // A kernel without NUMA has no such file.
    let numa = fs::read_to_string("/proc/self/numa_maps").ok();
    process.memory_policy = numa.and_then(|text| text.split_whitespace().nth(1).map(str::to_owned));
    Ok(())
}

/// Ids, capabilities, umask and the security modes, from `/proc/self/status`.
pub fn status(report: &mut Report) -> io::Result<()> {
    for line in fs::read_to_string("/proc/self/status")?.lines() {
        let Some((key, value)) = line.split_once(':') else { continue };
        let value = value.trim();
        match key {
            "Umask" => {
                report.process.umask = u32::from_str_radix(value, 8).map_err(|_| malformed("umask"))?
            }
            "Cpus_allowed_list" => report.process.cpus = value.to_owned(),
            "Uid" => report.ids.uids = four(value)?,
            "Gid" => report.ids.gids = four(value)?,
            "Groups" => report.ids.groups = numbers(value)?,
            "CapInh" => report.capabilities.inheritable = capabilities(value)?,
            "CapPrm" => report.capabilities.permitted = capabilities(value)?,
            "CapEff" => report.capabilities.effective = capabilities(value)?,
            "CapBnd" => report.capabilities.bounding = capabilities(value)?,
            "CapAmb" => report.capabilities.ambient = capabilities(value)?,
            "NoNewPrivs" => report.process.no_new_privs = value == "1",
            "Seccomp" => report.process.seccomp = number(value)?,
            "Seccomp_filters" => report.process.seccomp_filters = number(value)?,
            _ => {}
        }
    }
    Ok(())
}

pub fn id_maps(report: &mut Report) -> io::Result<()> {
    report.ids.uid_map = id_map(&fs::read_to_string("/proc/self/uid_map")?)?;
    report.ids.gid_map = id_map(&fs::read_to_string("/proc/self/gid_map")?)?;
    report.ids.setgroups = fs::read_to_string("/proc/self/setgroups")?.trim().to_owned();
    Ok(())
}

/// The links in `/proc/self/ns` read `pid:[4026531836]`.
pub fn namespaces(report: &mut Report) -> io::Result<()> {
    for entry in fs::read_dir("/proc/self/ns")? {
        let entry = entry?;
        let link = fs::read_link(entry.path())?.to_string_lossy().into_owned();
        let inode = link.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
        let inode = number(inode.ok_or_else(|| malformed("namespace link"))?)?;
        report.namespaces.insert(entry.file_name().to_string_lossy().into_owned(), inode);
    }
    Ok(())
}

pub fn cgroups(report: &mut Report) -> io::Result<()> {
    for line in fs::read_to_string("/proc/self/cgroup")?.lines() {
        let mut parts = line.splitn(3, ':');
        let (Some(hierarchy), Some(controllers), Some(path)) = (parts.next(), parts.next(), parts.next())
        else {
            return Err(malformed("cgroup"));
        };
        let controllers = controllers.split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect();
        report.cgroups.push(Cgroup { hierarchy: number(hierarchy)?, controllers, path: path.to_owned() });
    }
    Ok(())
}

pub fn visible(report: &mut Report) -> io::Result<()> {
    for entry in fs::read_dir("/proc")? {
        report.pids.extend(entry?.file_name().to_str().and_then(|name| name.parse::<u32>().ok()));
    }
    report.pids.sort_unstable();
    Ok(())
}

/// `/proc/keys`, see proc_keys(5): the eighth field is the type, then comes the description and `: SIZE`.
pub fn keyrings(report: &mut Report) -> io::Result<()> {
    for line in fs::read_to_string("/proc/keys")?.lines() {
        let mut fields = line.split_whitespace().skip(7);
        if fields.next() == Some("keyring") {
            report.process.keyrings.extend(fields.next().map(|text| text.trim_end_matches(':').to_owned()));
        }
    }
    Ok(())
}

fn number<N: std::str::FromStr>(text: &str) -> io::Result<N> {
    text.trim().parse().map_err(|_| malformed(&format!("number `{}`", text.trim())))
}

fn numbers(text: &str) -> io::Result<Vec<u32>> {
    text.split_whitespace().map(number).collect()
}

fn four(text: &str) -> io::Result<[u32; 4]> {
    numbers(text)?.try_into().map_err(|_| malformed("ids"))
}

fn id_map(text: &str) -> io::Result<Vec<IdMap>> {
    let line = |line| match numbers(line)?[..] {
        [inside, outside, count] => Ok(IdMap { inside, outside, count }),
        _ => Err(malformed("id map")),
    };
    text.lines().map(line).collect()
}

fn capabilities(hex: &str) -> io::Result<BTreeSet<String>> {
    let bits = u64::from_str_radix(hex, 16).map_err(|_| malformed("capability set"))?;
    let name = |bit: usize| match CAPABILITIES.get(bit) {
        Some(name) => format!("CAP_{name}"),
        None => format!("CAP_{bit}"),
    };
    Ok((0..64).filter(|bit| bits >> bit & 1 == 1).map(name).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capability_sets_are_read_by_bit() {
        let cases = [
            ("0000000000000000", vec![]),
            ("0000000020000420", vec!["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]),
            ("0000030000000000", vec!["CAP_41", "CAP_CHECKPOINT_RESTORE"]),
        ];
        for (hex, expect) in cases {
            assert_eq!(capabilities(hex).unwrap(), expect.iter().map(|name| name.to_string()).collect());
        }
    }

    #[test]
    fn an_id_map_has_three_numbers_a_line() {
        let map = id_map("         0     100000      65536\n").unwrap();
        assert_eq!(map, [IdMap { inside: 0, outside: 100_000, count: 65536 }]);
        assert!(id_map("0 1").is_err());
    }
}
