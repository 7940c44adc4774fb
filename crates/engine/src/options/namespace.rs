//! `--network`, `--pid`, `--ipc`, `--uts`, `--userns`, `--cgroupns` and `--time-offset`.

use super::{BadValue, name, number};
use spec::{ContainerId, IdMapping, TimeOffset};

/// Which namespaces the container shares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Namespaces {
    /// Network interfaces, addresses and ports.
    pub network: Network,
    /// Processes.
    pub pid: Shared,
    /// System V objects, message queues and `/dev/shm`.
    pub ipc: Ipc,
    /// Host and domain name.
    pub uts: OwnOrHost,
    /// User and group ids, and what capabilities are good for.
    pub user: UserNamespace,
    /// The view of the cgroup tree.
    pub cgroup: OwnOrHost,
    /// Offsets of the monotonic clocks; with one of them the container has its own time namespace.
    pub time: TimeOffsets,
}

/// The network of a container.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Network {
    /// Its own, with nothing but a loopback interface.
    #[default]
    None,
    /// The host's.
    Host,
}

/// A namespace that may be the host's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum OwnOrHost {
    /// A new one.
    #[default]
    Own,
    /// The host's.
    Host,
}

/// A namespace that may be the host's or another container's.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Shared {
    /// A new one.
    #[default]
    Own,
    /// The host's.
    Host,
    /// That of the container with this name or id.
    Container(ContainerId),
}

/// The ipc namespace, and with it `/dev/shm`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Ipc {
    /// A new one, with its own `/dev/shm`.
    #[default]
    Own,
    /// A new one, without `/dev/shm`.
    NoShm,
    /// The host's, `/dev/shm` and `/dev/mqueue` included.
    Host,
    /// That of the container with this name or id. `/dev/shm` stays the container's own: a mount cannot be
    /// taken out of another mount namespace.
    Container(ContainerId),
}

/// The user namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum UserNamespace {
    /// None: ids are the host's.
    #[default]
    Host,
    /// A range of the host that nobody uses.
    Auto(AutoIds),
    /// These ranges.
    #[expect(missing_docs, reason = "the fields say what they are")]
    Map { users: Vec<IdMapping>, groups: Vec<IdMapping> },
}

/// `--userns auto`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AutoIds {
    /// How many ids there are; `None`: [`IDS`](crate::facts::IDS), or what the ranges below need.
    pub size: Option<u32>,
    /// User ids that are to be those of the host.
    pub uids: Vec<IdMapping>,
    /// The same for groups.
    pub gids: Vec<IdMapping>,
}

impl AutoIds {
    /// How many ids are taken of the host.
    #[must_use]
    pub fn size(&self) -> u32 {
        self.size.unwrap_or(crate::facts::IDS)
    }

    /// User ids of a container whose own range begins at `first`.
    #[must_use]
    pub fn users(&self, first: u32) -> Vec<IdMapping> {
        around(&self.uids, first, self.size())
    }

    /// Group ids, likewise.
    #[must_use]
    pub fn groups(&self, first: u32) -> Vec<IdMapping> {
        around(&self.gids, first, self.size())
    }
}

/// The ids from 0 to `size`, mapped to those from `first` on in their order, but for those that are mapped elsewhere.
fn around(elsewhere: &[IdMapping], first: u32, size: u32) -> Vec<IdMapping> {
    let mut fixed = elsewhere.to_vec();
    fixed.sort_by_key(|range| range.container_id);
    let mut map = Vec::new();
    let (mut inside, mut outside) = (0, first);
    for range in &fixed {
        let gap = range.container_id.min(size).saturating_sub(inside);
        if gap > 0 {
            map.push(IdMapping { container_id: inside, host_id: outside, size: gap });
            outside += gap;
        }
        map.push(*range);
        inside = inside.max(range.container_id.saturating_add(range.size));
    }
    if inside < size {
        map.push(IdMapping { container_id: inside, host_id: outside, size: size - inside });
    }
    map
}

/// Offsets of a time namespace (time_namespaces(7)), which has no offset of the wall clock.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeOffsets {
    /// Of `CLOCK_MONOTONIC`.
    pub monotonic: Option<TimeOffset>,
    /// Of `CLOCK_BOOTTIME`, which `uptime` shows.
    pub boottime: Option<TimeOffset>,
}

/// `--network none|host`.
///
/// # Errors
/// Any other network: they do not exist yet.
pub fn network(text: &str) -> Result<Network, BadValue> {
    match text {
        "none" => Ok(Network::None),
        "host" => Ok(Network::Host),
        _ => Err(BadValue::new(
            "there is no such network: networks do not exist yet",
            "write none (a loopback interface only, the default) or host (the host's network)",
        )),
    }
}

fn joined(text: &str) -> Option<Result<ContainerId, BadValue>> {
    let id = text.strip_prefix("container:")?;
    Some(name::id(id, "write container: and the name or id of a running container"))
}

/// `--pid host|container:ID`.
///
/// # Errors
/// Another word, or a name that no container can have.
pub fn pid(text: &str) -> Result<Shared, BadValue> {
    match (text, joined(text)) {
        ("private", _) => Ok(Shared::Own),
        ("host", _) => Ok(Shared::Host),
        (_, Some(container)) => container.map(Shared::Container),
        _ => Err(BadValue::new("there is no such pid namespace", "write host, private or container:NAME")),
    }
}

/// `--ipc private|shareable|none|host|container:ID`. In cuddy every private one can be joined.
///
/// # Errors
/// Another word, or a name that no container can have.
pub fn ipc(text: &str) -> Result<Ipc, BadValue> {
    match (text, joined(text)) {
        ("private" | "shareable", _) => Ok(Ipc::Own),
        ("none", _) => Ok(Ipc::NoShm),
        ("host", _) => Ok(Ipc::Host),
        (_, Some(container)) => container.map(Ipc::Container),
        _ => Err(BadValue::new(
            "there is no such ipc namespace",
            "write private, none, host or container:NAME",
        )),
    }
}

/// `--uts` and `--cgroupns`: `private` or `host`.
///
/// # Errors
/// Another word.
pub fn own_or_host(text: &str) -> Result<OwnOrHost, BadValue> {
    match text {
        "private" => Ok(OwnOrHost::Own),
        "host" => Ok(OwnOrHost::Host),
        _ => Err(BadValue::new("there is no such namespace", "write private (the default) or host")),
    }
}

/// `--userns host|auto[:OPTION,...]|MAP`, where the options are podman's, `size=N`, `uidmapping=INSIDE:OUTSIDE:SIZE` and
/// `gidmapping=...`, and MAP is `INSIDE:OUTSIDE:SIZE` once or more with commas between, as in
/// `0:100000:65536` or `0:1000:1,1:100000:65535`. It holds for users and groups.
///
/// # Errors
/// Another word, an empty range, ids beyond 2^32 - 2, or ranges that overlap on one side.
pub fn user_namespace(text: &str) -> Result<UserNamespace, BadValue> {
    match text {
        "host" => return Ok(UserNamespace::Host),
        "auto" => return Ok(UserNamespace::Auto(AutoIds::default())),
        _ => {}
    }
    if let Some(options) = text.strip_prefix("auto:") {
        return auto(options).map(UserNamespace::Auto);
    }
    ranges(text.split(',')).map(|users| UserNamespace::Map { groups: users.clone(), users })
}

fn auto(options: &str) -> Result<AutoIds, BadValue> {
    let hint = "write size=N, uidmapping=INSIDE:OUTSIDE:SIZE or gidmapping=INSIDE:OUTSIDE:SIZE, with commas between several";
    let mut ids = AutoIds::default();
    let (mut users, mut groups) = (Vec::new(), Vec::new());
    for option in options.split(',') {
        match option.split_once('=') {
            Some(("size", size)) => {
                // user_namespaces(7): an id takes 32 bits; and a range has to be found for them.
                let number = size.parse().ok().filter(|size| (1..=1 << 30).contains(size));
                let wrong = || BadValue::new(format!("{size:?} is no number of ids"), hint);
                ids.size = Some(number.ok_or_else(wrong)?);
            }
            Some(("uidmapping", range)) => users.push(range),
            Some(("gidmapping", range)) => groups.push(range),
            _ => return Err(BadValue::new(format!("{option:?} is no option of auto"), hint)),
        }
    }
    if !users.is_empty() {
        ids.uids = ranges(users.into_iter())?;
    }
    if !groups.is_empty() {
        ids.gids = ranges(groups.into_iter())?;
    }
    Ok(ids)
}

fn ranges<'a>(texts: impl Iterator<Item = &'a str>) -> Result<Vec<IdMapping>, BadValue> {
    let hint = "write host, auto, or INSIDE:OUTSIDE:SIZE like 0:100000:65536, with commas between several";
    let mut map: Vec<IdMapping> = Vec::new();
    for range in texts {
        let numbers: Option<Vec<u32>> = range.split(':').map(|number| number.parse().ok()).collect();
        let Some([container_id, host_id, size]) = numbers.as_deref().and_then(|n| n.as_array::<3>()).copied()
        else {
            return Err(BadValue::new(format!("{range:?} is no range of ids"), hint));
        };
        // 2^32 - 1 is (uid_t) -1, "no user".
        let fits = |first: u32| u64::from(first) + u64::from(size) <= u64::from(u32::MAX);
        if size == 0 || !fits(container_id) || !fits(host_id) {
            return Err(BadValue::new(
                format!("the range {range:?} is empty or goes beyond the last id"),
                hint,
            ));
        }
        let new = IdMapping { container_id, host_id, size };
        let overlap = |a: u32, m: u32, b: u32, n: u32| a < b.saturating_add(n) && b < a.saturating_add(m);
        if map.iter().any(|old| {
            overlap(old.container_id, old.size, container_id, size)
                || overlap(old.host_id, old.size, host_id, size)
        }) {
            return Err(BadValue::new(format!("the range {range:?} overlaps another"), hint));
        }
        map.push(new);
    }
    // user_namespaces(7): up to 340 lines since Linux 4.15.
    if map.len() > 340 {
        return Err(BadValue::new("the kernel takes at most 340 ranges", hint));
    }
    Ok(map)
}

/// `--time-offset boottime=SECONDS,monotonic=SECONDS`, with up to nine digits after a point and a sign.
///
/// # Errors
/// Another clock, a clock twice, no number, or one beyond what the kernel can count.
pub fn time_offset(text: &str) -> Result<TimeOffsets, BadValue> {
    let hint = "write boottime=SECONDS, monotonic=SECONDS or both with a comma between";
    let mut offsets = TimeOffsets::default();
    for part in text.split(',') {
        let Some((clock, seconds)) = part.split_once('=') else {
            return Err(BadValue::new(format!("{part:?} has no number of seconds"), hint));
        };
        let slot = match clock {
            "boottime" => &mut offsets.boottime,
            "monotonic" => &mut offsets.monotonic,
            _ => return Err(BadValue::new(format!("{clock:?} is no clock of a time namespace"), hint)),
        };
        if slot.is_some() {
            return Err(BadValue::new(format!("{clock} is there twice"), hint));
        }
        *slot = Some(seconds_and_nanos(seconds).ok_or_else(|| {
            BadValue::new(format!("{seconds:?} is no number of seconds that the kernel can count"), hint)
        })?);
    }
    Ok(offsets)
}

fn seconds_and_nanos(text: &str) -> Option<TimeOffset> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (whole, nanosecs) = number::decimal(digits)?;
    // KTIME_SEC_MAX / 2: the kernel's bound for a clock with its offset (`kernel/time/namespace.c`).
    let secs = i64::try_from(whole).ok().filter(|secs| *secs <= i64::MAX / 1_000_000_000 / 2)?;
    Some(match (negative, nanosecs) {
        (false, _) => TimeOffset { secs, nanosecs },
        (true, 0) => TimeOffset { secs: -secs, nanosecs: 0 },
        // Nanoseconds only go forward: -1.5 s is -2 s and half a second.
        (true, _) => TimeOffset { secs: -secs - 1, nanosecs: 1_000_000_000 - nanosecs },
    })
}

#[cfg(test)]
mod tests {
    use super::super::value::check;
    use super::*;

    #[test]
    fn namespaces() {
        check(
            network,
            &[
                ("none", Ok("None")),
                ("host", Ok("Host")),
                ("bridge", Err("there is no such network: networks do not exist yet")),
            ],
        );
        check(
            pid,
            &[
                ("host", Ok("Host")),
                ("container:web", Ok("Container(ContainerId(\"web\"))")),
                ("container:a/b", Err("'/' is not one of A-Z a-z 0-9 _ + - .")),
                ("mine", Err("there is no such pid namespace")),
            ],
        );
        check(
            ipc,
            &[("shareable", Ok("Own")), ("none", Ok("NoShm")), ("", Err("there is no such ipc namespace"))],
        );
        check(own_or_host, &[("private", Ok("Own")), ("x", Err("there is no such namespace"))]);
    }

    #[test]
    fn user_namespaces() {
        let list = |map: &[IdMapping]| {
            format!("{:?}", map.iter().map(|m| (m.container_id, m.host_id, m.size)).collect::<Vec<_>>())
        };
        let short = |space| match space {
            UserNamespace::Map { users, .. } => list(&users),
            UserNamespace::Auto(ids) => {
                format!("auto {} {} {}", ids.size(), list(&ids.uids), list(&ids.gids))
            }
            other => format!("{other:?}"),
        };
        check(
            |text| user_namespace(text).map(short),
            &[
                ("auto", Ok("\"auto 65536 [] []\"")),
                ("auto:size=1024", Ok("\"auto 1024 [] []\"")),
                (
                    "auto:size=10,uidmapping=0:1000:1,gidmapping=5:100:1,gidmapping=7:7:2",
                    Ok("\"auto 10 [(0, 1000, 1)] [(5, 100, 1), (7, 7, 2)]\""),
                ),
                ("auto:", Err("\"\" is no option of auto")),
                ("auto:size=0", Err("\"0\" is no number of ids")),
                ("auto:size=1073741825", Err("\"1073741825\" is no number of ids")),
                ("auto:uidmapping=1", Err("\"1\" is no range of ids")),
                ("auto:uidmapping=0:7:2,uidmapping=1:9:1", Err("the range \"1:9:1\" overlaps another")),
                ("host", Ok("\"Host\"")),
                ("0:100000:65536", Ok("\"[(0, 100000, 65536)]\"")),
                ("0:1000:1,1:100000:65535", Ok("\"[(0, 1000, 1), (1, 100000, 65535)]\"")),
                ("0:1", Err("\"0:1\" is no range of ids")),
                ("", Err("\"\" is no range of ids")),
                ("0:0:0", Err("the range \"0:0:0\" is empty or goes beyond the last id")),
                ("1:0:4294967295", Err("the range \"1:0:4294967295\" is empty or goes beyond the last id")),
                ("0:0:10,5:100:1", Err("the range \"5:100:1\" overlaps another")),
                ("0:0:10,20:9:1", Err("the range \"20:9:1\" overlaps another")),
            ],
        );
    }

    #[test]
    fn ids_that_are_mapped_elsewhere_are_left_out_of_the_range() {
        let range = |container_id, host_id, size| IdMapping { container_id, host_id, size };
        let cases: [(Vec<IdMapping>, Vec<IdMapping>); 5] = [
            (vec![], vec![range(0, 5000, 100)]),
            (vec![range(0, 7, 1)], vec![range(0, 7, 1), range(1, 5000, 99)]),
            (
                vec![range(9, 7, 2), range(5, 3, 1)],
                vec![
                    range(0, 5000, 5),
                    range(5, 3, 1),
                    range(6, 5005, 3),
                    range(9, 7, 2),
                    range(11, 5008, 89),
                ],
            ),
            (vec![range(99, 7, 1)], vec![range(0, 5000, 99), range(99, 7, 1)]),
            (vec![range(500, 7, 1)], vec![range(0, 5000, 100), range(500, 7, 1)]),
        ];
        for (elsewhere, expect) in cases {
            assert_eq!(around(&elsewhere, 5000, 100), expect, "{elsewhere:?}");
        }
    }

    #[test]
    fn time_offsets() {
        let short = |offsets: TimeOffsets| {
            let pair = |offset: Option<TimeOffset>| offset.map(|o| (o.secs, o.nanosecs));
            (pair(offsets.boottime), pair(offsets.monotonic))
        };
        check(
            |text| time_offset(text).map(short),
            &[
                ("boottime=3600", Ok("(Some((3600, 0)), None)")),
                ("boottime=-1.5,monotonic=+0.25", Ok("(Some((-2, 500000000)), Some((0, 250000000)))")),
                ("boottime=-7", Ok("(Some((-7, 0)), None)")),
                ("realtime=1", Err("\"realtime\" is no clock of a time namespace")),
                ("boottime", Err("\"boottime\" has no number of seconds")),
                ("boottime=1,boottime=2", Err("boottime is there twice")),
                ("boottime=1h", Err("\"1h\" is no number of seconds that the kernel can count")),
                (
                    "boottime=9999999999",
                    Err("\"9999999999\" is no number of seconds that the kernel can count"),
                ),
            ],
        );
    }
}
