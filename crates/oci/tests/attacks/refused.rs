//! The same attacks inside another container, whose filter refuses the calls that cuddy defends itself with.

use testbed::Trial;

use crate::ground::refused;
use crate::{ATTACKS, Attack, attack_trial};

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;

/// Attacks on paths, which are resolved by hand where openat2(2) is refused.
const PATHS: [&str; 11] = [
    "ten thousand swaps of a mount point lead nowhere outside",
    "a mount point that is swapped for a link leads nowhere outside",
    "a link in place of /proc or /sys is refused",
    "links of mount points end at the root of the container",
    "nothing is mounted over /proc",
    "nothing is mounted over /proc through a link",
    "a working directory that is a leaked descriptor is refused",
    "a forged /dev/null masks nothing and is not followed",
    "/proc stays read-only and masked",
    "a forged terminal is not used",
    "setuid programs give nothing",
];

/// The trials.
pub fn trials() -> impl Iterator<Item = Trial> {
    PATHS.iter().zip([ENOSYS, EPERM].into_iter().cycle()).map(|(name, errno)| {
        let (_, programs, attack) = attack(name);
        let test = move || refused(&["openat2"], errno, attack);
        attack_trial(&format!("without openat2: {name}"), programs, test)
    })
}

fn attack(name: &str) -> Attack {
    *ATTACKS.iter().find(|(known, ..)| *known == name).expect("an attack of the table")
}
