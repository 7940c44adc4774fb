//! Interfaces.

use super::{Call, call, gives};
use crate::{NetworkPlace, Op, Slot};
use spec::NamespaceKind;

pub(super) fn calls(op: &Op) -> Vec<Call> {
    match op {
        Op::LinkUp { interface } => vec![
            gives("socket", "AF_INET, SOCK_DGRAM|SOCK_CLOEXEC, IPPROTO_IP", "$socket"),
            call("ioctl", format!("$socket, SIOCGIFFLAGS, {{ifr_name={interface:?}}}")),
            call("ioctl", format!("$socket, SIOCSIFFLAGS, {{ifr_name={interface:?}, ifr_flags=...|IFF_UP}}")),
        ],
        Op::OpenNetlink => {
            vec![gives("socket", "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE", Slot::Netlink)]
        }
        Op::MoveNetDevice { name, new_name, into } => move_device(name, new_name, *into),
        _ => unreachable!("not about interfaces"),
    }
}

/// By the messages of rtnetlink(7).
fn move_device(name: &str, new_name: &str, into: NetworkPlace) -> Vec<Call> {
    let process = match into {
        NetworkPlace::Made => "self",
        NetworkPlace::Init => "$init_pid",
        NetworkPlace::Joined => "",
    };
    let mut calls = Vec::new();
    let namespace = match into {
        NetworkPlace::Joined => Slot::Namespace(NamespaceKind::Network).to_string(),
        _ => {
            let path = format!("{process}/ns/net");
            calls.push(gives(
                "openat",
                format!("{}, {path:?}, O_RDONLY|O_CLOEXEC", Slot::Proc),
                "$namespace",
            ));
            "$namespace".to_owned()
        }
    };
    calls.extend([
        gives("openat", format!("{}, \"self/ns/net\", O_RDONLY|O_CLOEXEC", Slot::Proc), "$here"),
        call("setns", format!("{namespace}, CLONE_NEWNET")),
        gives("socket", "AF_NETLINK, SOCK_RAW|SOCK_CLOEXEC, NETLINK_ROUTE", "$inside"),
        call("setns", "$here, CLONE_NEWNET"),
        gives("sendto", format!("{}, {{RTM_GETLINK}}", Slot::Netlink), format!("$index  # of {name}")),
        call("sendto", format!("{}, {{RTM_GETADDR}}", Slot::Netlink)),
        call(
            "sendto",
            format!(
                "{}, {{RTM_NEWLINK, $index, IFLA_IFNAME={new_name:?}, IFLA_NET_NS_FD={namespace}}}",
                Slot::Netlink
            ),
        ),
        call("sendto", "$inside, {RTM_NEWADDR, $index, each permanent address of global scope}"),
        call("sendto", "$inside, {RTM_NEWLINK, $index, IFF_UP}"),
    ]);
    calls
}
