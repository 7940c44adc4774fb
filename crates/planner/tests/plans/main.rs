//! Plans as values, without root and without a machine: the whole plan of a usual configuration, and for each field
//! and option what it changes of that plan.

mod cgroups;
mod fields;
mod labels;
mod landlock;
mod options;
mod others;
mod refused;
mod resctrl;
mod rootless;
mod support;
