//! Names of errors.

use std::io;

use rustix::io::Errno;

macro_rules! names {
    ($errno:expr; $($name:ident)*) => {
        match $errno {
            $(Errno::$name => concat!("E", stringify!($name)).to_owned(),)*
            other => format!("E{}", other.raw_os_error()),
        }
    };
}

/// The name of an error, as `EPERM`; one that has none here is `E` and its number.
pub fn name(error: &io::Error) -> String {
    let Some(errno) = Errno::from_io_error(error) else { return error.kind().to_string() };
    match errno {
        Errno::TOOBIG => return "E2BIG".to_owned(),
        Errno::NOTSUP => return "EOPNOTSUPP".to_owned(),
        Errno::ACCESS => return "EACCES".to_owned(),
        _ => {}
    }
    names!(errno; AGAIN BADF BUSY CHILD DEADLK DOM EXIST FAULT FBIG INTR INVAL IO ISDIR LOOP MFILE MLINK NAMETOOLONG
        NETUNREACH NFILE NODATA NODEV NOENT NOEXEC NOKEY NOLINK NOMEM NOSPC NOSYS NOTBLK NOTCONN NOTDIR NOTEMPTY NOTTY NXIO
        OVERFLOW PERM PIPE RANGE ROFS SPIPE SRCH STALE TIMEDOUT TXTBSY USERS XDEV AFNOSUPPORT CONNREFUSED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_have_the_names_of_the_man_pages() {
        let cases =
            [(1, "EPERM"), (2, "ENOENT"), (13, "EACCES"), (30, "EROFS"), (95, "EOPNOTSUPP"), (4000, "E4000")];
        for (number, expect) in cases {
            assert_eq!(name(&io::Error::from_raw_os_error(number)), expect);
        }
    }
}
