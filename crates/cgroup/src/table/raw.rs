//! Files of cgroup v2 that a config names itself, in `unified`.

use super::{Shape, rows};

/// How such files read back that no row writes (`admin-guide/cgroup-v2.rst`). The rest are read as lines by key.
const FILES: &[(&str, Shape)] = &[
    ("memory.min", Shape::Bytes),
    ("memory.low", Shape::Bytes),
    ("memory.high", Shape::Bytes),
    ("memory.max", Shape::Bytes),
    ("memory.swap.high", Shape::Bytes),
    ("memory.swap.max", Shape::Bytes),
    ("memory.zswap.max", Shape::Bytes),
    ("memory.oom.group", Shape::Number),
    ("cpu.weight.nice", Shape::Number),
    ("cpu.uclamp.min", Shape::Number),
    ("cpu.uclamp.max", Shape::Number),
    ("cpuset.cpus.exclusive", Shape::List),
    ("cpuset.cpus.partition", Shape::Number),
    ("cgroup.max.depth", Shape::Number),
    ("cgroup.max.descendants", Shape::Number),
    ("io.latency", Shape::Lines),
    ("io.prio.class", Shape::Number),
    ("misc.max", Shape::Lines),
];

/// How the file of this name reads back.
pub(crate) fn shape_of_file(name: &str) -> Shape {
    let known = FILES.iter().find(|(file, _)| *file == name).map(|(_, shape)| *shape);
    let places =
        || rows().flat_map(|row| row.v1.iter().chain(&row.v2).flat_map(|p| [Some(p), p.fallback])).flatten();
    let of_row = || places().find(|place| is_named(place.file, name)).map(|place| place.shape);
    known.or_else(of_row).unwrap_or(Shape::Lines)
}

/// Whether a file is of this form: `hugetlb.2MB.max` is of `hugetlb.{}.max`.
fn is_named(form: &str, name: &str) -> bool {
    match form.split_once("{}") {
        Some((before, after)) => name
            .strip_prefix(before)
            .and_then(|rest| rest.strip_suffix(after))
            .is_some_and(|key| !key.contains('.')),
        None => form == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        for (name, shape) in [
            ("memory.high", Shape::Bytes),
            ("memory.limit_in_bytes", Shape::Bytes),
            ("cpu.max", Shape::Words),
            ("hugetlb.2MB.max", Shape::Bytes),
            ("hugetlb.2MB.rsvd.max", Shape::Bytes),
            ("io.weight", Shape::Lines),
            ("cpuset.cpus", Shape::List),
            ("what.ever", Shape::Lines),
        ] {
            assert_eq!(shape_of_file(name), shape, "{name}");
        }
    }
}
