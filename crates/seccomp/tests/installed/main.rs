//! The default profile against the one that is installed: every difference is named in the documentation.

#[path = "../support/differences.rs"]
mod differences;
#[path = "../support/installed.rs"]
mod installed;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Failed, Trial};
use seccomp::{Arch, compile, default_profile};
use spec::CapabilitySet;

fn main() -> ExitCode {
    let trials = [Arch::X86_64, Arch::Aarch64].map(|arch| {
        let missing = installed::profile(arch).is_none();
        let name = format!("every_difference_is_named_on_{arch}");
        let name = if missing { format!("[needs {}] {name}", installed::PATH) } else { name };
        Trial::test(name, move || every_difference_is_named(arch)).with_ignored_flag(missing)
    });
    libtest_mimic::run(&Arguments::from_args(), trials.into()).exit_code()
}

fn every_difference_is_named(arch: Arch) -> Result<(), Failed> {
    let theirs = compile(&installed::profile(arch).ok_or("no profile")?, arch)?;
    let ours = compile(&default_profile(CapabilitySet::EMPTY, arch), arch)?;
    let architectures = [&[arch], arch.companions()].concat();
    Ok(differences::check("podman", &ours, &theirs, &architectures)?)
}
