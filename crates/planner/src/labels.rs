//! What the security modules of the machine shall confine the process to.

use crate::{Draft, Error};
use plan::Op;

const APPARMOR: &str = "/process/apparmorProfile";
const SELINUX: &str = "/process/selinuxLabel";

/// The label of the keyring that is made next.
pub(crate) fn of_keys(draft: &mut Draft) -> Result<(), Error> {
    if let Some(label) = selinux(draft)? {
        let op = attribute("attr/keycreate", label);
        draft.init(op, SELINUX, "else the container could not use its own keyring");
    }
    Ok(())
}

/// The profile and the label that execve(2) enters.
pub(crate) fn of_program(draft: &mut Draft) -> Result<(), Error> {
    if let Some(profile) = apparmor(draft)? {
        let value = format!("exec {profile}");
        let op =
            Op::SetSecurityAttribute { attribute: "attr/apparmor/exec", value, fallback: Some("attr/exec") };
        draft.init(op, APPARMOR, "entered at execve(2)");
    }
    if let Some(label) = selinux(draft)? {
        draft.init(attribute("attr/exec", label), SELINUX, "entered at execve(2)");
    }
    Ok(())
}

fn attribute(attribute: &'static str, value: String) -> Op {
    Op::SetSecurityAttribute { attribute, value, fallback: None }
}

/// Without AppArmor everybody is unconfined.
fn apparmor(draft: &Draft) -> Result<Option<String>, Error> {
    let Some(profile) = given(&crate::process::of(draft)?.apparmor_profile) else { return Ok(None) };
    text(APPARMOR, &profile)?;
    match (draft.facts.apparmor, profile.as_str()) {
        (true, _) => Ok(Some(profile)),
        (false, "unconfined") => Ok(None),
        (false, _) => {
            let message = format!("profile {profile:?} cannot be entered: AppArmor is not on in this kernel");
            Err(Error::new(APPARMOR, message, "drop it, or boot with apparmor=1 security=apparmor"))
        }
    }
}

fn selinux(draft: &Draft) -> Result<Option<String>, Error> {
    let Some(label) = given(&crate::process::of(draft)?.selinux_label) else { return Ok(None) };
    text(SELINUX, &label)?;
    if !draft.facts.selinux {
        let message = format!("label {label:?} cannot be entered: SELinux is not on in this kernel");
        return Err(Error::new(SELINUX, message, "drop it, or load a policy"));
    }
    Ok(Some(label))
}

/// What is written to procfs is one line.
fn text(field: &str, value: &str) -> Result<(), Error> {
    if value.contains(['\0', '\n']) {
        return Err(Error::new(field, format!("{value:?} is no name"), "write it on one line"));
    }
    Ok(())
}

fn given(text: &Option<String>) -> Option<String> {
    text.clone().filter(|text| !text.is_empty())
}
