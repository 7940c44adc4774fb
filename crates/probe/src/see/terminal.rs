//! The terminal on the standard descriptors.

use std::fs::File;
use std::io::{self, stderr, stdin, stdout};

use probe::{Report, Terminal};
use rustix::termios::{isatty, tcgetpgrp, tcgetwinsize, ttyname};

pub fn terminal(report: &mut Report) -> io::Result<()> {
    let stdin = stdin();
    report.terminal = Terminal {
        isatty: [isatty(&stdin), isatty(stdout()), isatty(stderr())],
        name: ttyname(&stdin, Vec::new()).ok().map(|name| name.to_string_lossy().into_owned()),
        size: tcgetwinsize(&stdin).ok().map(|size| (size.ws_row, size.ws_col)),
        controlling: File::open("/dev/tty").is_ok(),
        foreground: tcgetpgrp(&stdin).ok().map(|group| group.as_raw_nonzero().get() as u32),
    };
    Ok(())
}
