//! `checkpoint` and `restore`.

use super::given::Given;
use super::lower::{container, id, operand};
use super::{Checkpoint, Restore};
use lexopt::Error;
use runtime::{CheckpointOptions, CriuOptions, ManageCgroups};
use usage as options;

pub(super) fn checkpoint(given: &mut Given) -> Result<Checkpoint, Error> {
    let id = id(given)?;
    let how = CheckpointOptions {
        common: common(given)?,
        parent: given.path(options::PARENT_PATH),
        leave_running: given.is_on(options::LEAVE_RUNNING)?,
        pre_dump: given.is_on(options::PRE_DUMP)?,
        tcp_skip_in_flight: given.is_on(options::TCP_SKIP_IN_FLIGHT)?,
        link_remap: given.is_on(options::LINK_REMAP)?,
        page_server: given.text(options::PAGE_SERVER)?.as_deref().map(server).transpose()?,
    };
    Ok(Checkpoint { id, options: how, status_fd: given.number(options::STATUS_FD)? })
}

pub(super) fn restore(given: &mut Given) -> Result<Restore, Error> {
    // How the root becomes the root is for criu.
    given.is_on(options::NO_PIVOT)?;
    Ok(Restore {
        id: container(operand(given, "which name shall the container have?")?)?,
        bundle: given.path(options::BUNDLE).unwrap_or_else(|| ".".into()),
        console_socket: given.path(options::CONSOLE_SOCKET),
        pid_file: given.path(options::PID_FILE),
        detach: given.is_on(options::DETACH)?,
        no_subreaper: given.is_on(options::NO_SUBREAPER)?,
        lsm_profile: given.text(options::LSM_PROFILE)?,
        lsm_mount_context: given.text(options::LSM_MOUNT_CONTEXT)?,
        common: common(given)?,
    })
}

fn common(given: &mut Given) -> Result<CriuOptions, Error> {
    // The one namespace whose content is left out is left out always, as with runc.
    if let Some(other) = given.texts(options::EMPTY_NS)?.iter().find(|name| *name != "network") {
        return Err(format!("--empty-ns is for the namespace network, not {other:?}").into());
    }
    Ok(CriuOptions {
        images: given.path(options::IMAGE_PATH).unwrap_or_else(|| "checkpoint".into()),
        work: given.path(options::WORK_PATH),
        tcp_established: given.is_on(options::TCP_ESTABLISHED)?,
        ext_unix_sk: given.is_on(options::EXT_UNIX_SK)?,
        shell_job: given.is_on(options::SHELL_JOB)?,
        file_locks: given.is_on(options::FILE_LOCKS)?,
        manage_cgroups: match given.text(options::MANAGE_CGROUPS_MODE)?.as_deref() {
            Some("ignore") => ManageCgroups::Ignore,
            Some("full") => ManageCgroups::Full,
            Some("strict") => ManageCgroups::Strict,
            _ => ManageCgroups::Soft,
        },
        auto_dedup: given.is_on(options::AUTO_DEDUP)?,
        lazy_pages: given.is_on(options::LAZY_PAGES)?,
    })
}

/// `ADDRESS:PORT`; an address of IPv6 is in brackets.
fn server(text: &str) -> Result<(String, u16), Error> {
    let read = || {
        let (address, port) = text.rsplit_once(':')?;
        let address = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(address);
        Some((address.to_owned(), port.parse().ok()?)).filter(|(address, _)| !address.is_empty())
    };
    read().ok_or_else(|| format!("--page-server is ADDRESS:PORT, not {text:?}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_have_an_address_and_a_port() {
        let cases = [
            ("localhost:1", Some(("localhost", 1))),
            ("[::1]:65535", Some(("::1", 65535))),
            ("localhost", None),
            (":1", None),
            ("localhost:", None),
            ("localhost:65536", None),
        ];
        for (text, expect) in cases {
            let expect = expect.map(|(address, port)| (address.to_owned(), port));
            assert_eq!(server(text).ok(), expect, "{text}");
        }
    }
}
