//! Which devices a container may use.
//!
//! The rules of a config apply in order, the last that matches an access wins (config-linux.md, "Allowed Device
//! list"). cgroup v1 has a controller with lists ([`v1`]), v2 asks an eBPF program ([`v2`]); both are made from
//! the same [`Rule`]s.

mod rule;
pub mod v1;
pub mod v2;

pub use rule::{Access, Kind, Rule, rules};
