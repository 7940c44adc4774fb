//! Files that say who users are and which ids are theirs: passwd(5) and group(5) of a root file system, subuid(5) of the
//! machine. The first line is what is asked for.

#![no_main]

use std::fmt::Write;

use engine::facts::subid::delegated;
use engine::options::user::{Principal, UserSpec, user};
use engine::user::look_up;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let text = String::from_utf8_lossy(bytes);
    let (asked, files) = text.split_once('\n').unwrap_or((&text, ""));
    let (passwd, group) = files.split_once("\n\n").unwrap_or((files, ""));
    users(asked, passwd, group);
    ids(asked, files);
});

fn users(asked: &str, passwd: &str, group: &str) {
    let spec = user(asked).ok();
    let Ok(found) = look_up(passwd, group, spec.as_ref()) else { return };
    assert!(found.home.starts_with('/') && !found.home.contains('\0'), "{found:?}");
    assert_eq!(found.groups.first(), Some(&found.gid));
    assert!(found.groups.len() <= 1 + group.lines().count(), "more groups than there are lines");
    // A number means itself, whatever the files say.
    match spec {
        Some(UserSpec { user: Principal::Id(uid), group: Some(Principal::Id(gid)) }) => {
            assert_eq!((found.uid, found.groups), (uid, vec![gid]));
        }
        Some(UserSpec { user: Principal::Id(uid), .. }) => assert_eq!(found.uid, uid),
        None => assert_eq!(found.uid, 0),
        Some(_) => {}
    }
}

fn ids(asked: &str, files: &str) {
    let owner = asked.trim();
    let spans = delegated(files, &[owner]);
    for span in &spans {
        assert!(span.first > 0 && span.end() <= u64::from(u32::MAX), "{span:?}");
    }
    // A name with a colon is none.
    if owner.contains(':') {
        assert!(spans.is_empty());
    }
    let written = spans.iter().fold(String::new(), |mut text, span| {
        writeln!(text, "{owner}:{}:{}", span.first, span.size).expect("a String takes all");
        text
    });
    assert_eq!(delegated(&written, &[owner]), spans);
}
