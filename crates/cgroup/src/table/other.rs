//! Processes, huge pages, RDMA, network classes.

use super::{Ask, Place, Row, Shape, Value, keyed, limit, or_max, plain};
use spec::Resources;

pub(super) static ROWS: &[Row] = &[
    Row {
        name: "pids.limit",
        why: "processes and threads that may exist at a time",
        v1: Some(Place::new("pids", "pids.max", Shape::Number, or_max).unit("TasksMax", limit)),
        v2: Some(Place::new("pids", "pids.max", Shape::Number, or_max).unit("TasksMax", limit)),
        default: Some(-1),
        // Zero is no limit, as for runc and youki up to now: engines write it for "unlimited". A container that may have
        // no process could not be.
        ask: |r| {
            let limit = r.pids.and_then(|pids| pids.limit).map(|limit| if limit == 0 { -1 } else { limit });
            limit.map(|limit| Ask::number("/pids/limit", limit)).into_iter().collect()
        },
    },
    Row {
        name: "hugepageLimits",
        why: "huge pages of this size that may be used",
        v1: Some(Place::new("hugetlb", "hugetlb.{}.limit_in_bytes", Shape::Bytes, whole_pages)),
        v2: Some(Place::new("hugetlb", "hugetlb.{}.max", Shape::Bytes, whole_pages)),
        default: None,
        ask: ask_hugepages,
    },
    Row {
        name: "hugepageLimits (reserved)",
        why: "huge pages of this size that may be reserved: a program that would lack them is told at mmap",
        v1: Some(Place::new("hugetlb", "hugetlb.{}.rsvd.limit_in_bytes", Shape::Bytes, whole_pages)),
        v2: Some(Place::new("hugetlb", "hugetlb.{}.rsvd.max", Shape::Bytes, whole_pages)),
        default: None,
        ask: ask_hugepages,
    },
    Row {
        name: "rdma",
        why: "handles and objects of this RDMA device",
        v1: Some(Place::new("rdma", "rdma.max", Shape::Lines, keyed)),
        v2: Some(Place::new("rdma", "rdma.max", Shape::Lines, keyed)),
        default: None,
        ask: ask_rdma,
    },
    Row {
        name: "network.classID",
        why: "class of packets, for tc and iptables",
        v1: Some(Place::new("net_cls", "net_cls.classid", Shape::Number, plain)),
        v2: None,
        default: Some(0),
        ask: |r| {
            let class = r.network.as_ref().and_then(|network| network.class_id);
            class.map(|class| Ask::number("/network/classID", class)).into_iter().collect()
        },
    },
    Row {
        name: "network.priorities",
        why: "priority of packets on this interface",
        v1: Some(Place::new("net_prio", "net_prio.ifpriomap", Shape::Lines, keyed)),
        v2: None,
        default: None,
        ask: |r| {
            let priorities = r.network.iter().flat_map(|network| &network.priorities).enumerate();
            priorities
                .map(|(index, interface)| {
                    let pointer = format!("/network/priorities/{index}");
                    Ask::keyed(pointer, interface.name.clone(), interface.priority)
                })
                .collect()
        },
    },
];

fn ask_hugepages(resources: &Resources) -> Vec<Ask> {
    let limits = resources.hugepage_limits.iter().enumerate();
    limits
        .map(|(index, page)| {
            Ask::keyed(format!("/hugepageLimits/{index}"), page.page_size.clone(), page.limit)
        })
        .collect()
}

/// The kernel rounds down to whole huge pages (`hugetlb_cgroup_write` in `mm/hugetlb_cgroup.c`) and says nothing; so the
/// text is what it will have.
fn whole_pages(resources: &Resources, ask: &Ask) -> Result<String, &'static str> {
    match (&ask.value, huge_page_size(&ask.key)) {
        (Value::Number(limit), Some(size)) => Ok((limit - limit.rem_euclid(size)).to_string()),
        _ => plain(resources, ask),
    }
}

/// The bytes of a huge page of `2MB`. `None`: it is no size.
pub(crate) fn huge_page_size(name: &str) -> Option<i128> {
    let (digits, shift) = [("KB", 10), ("MB", 20), ("GB", 30)]
        .into_iter()
        .find_map(|(unit, shift)| Some((name.strip_suffix(unit)?, shift)))?;
    let number = digits.parse::<u32>().ok().filter(|number| *number > 0)?;
    Some(i128::from(number) << shift)
}

fn ask_rdma(resources: &Resources) -> Vec<Ask> {
    let devices = resources.rdma.iter();
    devices
        .filter_map(|(device, limits)| {
            let handles = limits.hca_handles.map(|handles| format!("hca_handle={handles}"));
            let objects = limits.hca_objects.map(|objects| format!("hca_object={objects}"));
            let words: Vec<_> = handles.into_iter().chain(objects).collect();
            (!words.is_empty()).then(|| Ask {
                pointer: format!("/rdma/{}", device.replace('~', "~0").replace('/', "~1")),
                key: device.clone(),
                value: Value::Text(words.join(" ")),
                implied: false,
            })
        })
        .collect()
}
