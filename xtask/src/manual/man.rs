//! Manual pages, in the macros of man(7).

use std::fmt::Write;

use super::{Page, options_of};

/// The page of the program and those of its commands.
pub fn pages() -> Vec<Page> {
    let commands =
        usage::COMMANDS.iter().map(|command| (page_name(command.name) + ".8", of_command(command)));
    std::iter::once((format!("{}.8", usage::PROGRAM), of_program())).chain(commands).collect()
}

fn page_name(command: &str) -> String {
    format!("{}-{command}", usage::PROGRAM)
}

fn header(name: &str, summary: &str) -> String {
    let title = name.to_uppercase();
    format!(".TH {} 8\n.SH NAME\n{} \\- {}\n", quoted(&title), roff(name), roff(summary))
}

fn of_program() -> String {
    let name = usage::PROGRAM;
    let mut page = header(name, usage::SUMMARY);
    let _ = write!(
        page,
        ".SH SYNOPSIS\n.B {0}\n[\\fIOPTION\\fR...] \\fICOMMAND\\fR [\\fIOPTION\\fR...] [\\fIOPERAND\\fR...]\n\
         .SH DESCRIPTION\nRuns containers that are described by bundles, as the OCI runtime specification has them, with the \
         command line of runc. Engines such as podman, containerd and Docker use it to make containers.\n.SH COMMANDS\n",
        roff(name)
    );
    for command in usage::COMMANDS {
        let page_name = roff(&page_name(command.name));
        let _ = write!(page, ".TP\n\\fB{page_name}\\fR(8)\n{}.\n", roff(&capital(command.summary)));
    }
    options(&mut page, usage::GLOBAL);
    page.push_str(
        ".SH FILES\n.TP\n.I /run/cuddy\nThe state of containers, unless \\fB\\-\\-root\\fR says otherwise.\n\
         .SH EXIT STATUS\n0; 1 when the command failed or makes no sense; for \\fBrun\\fR and \\fBexec\\fR that of the \
         program, or 128 and the number of the signal that ended it; 255 when \\fBexec\\fR could not start it.\n",
    );
    page
}

fn of_command(command: &usage::Command) -> String {
    let mut page = header(&page_name(command.name), command.summary);
    let _ =
        write!(page, ".SH SYNOPSIS\n.B {} {}\n[\\fIOPTION\\fR...]", roff(usage::PROGRAM), roff(command.name));
    if !command.operands.is_empty() {
        let _ = write!(page, " \\fI{}\\fR", roff(command.operands));
    }
    let about = if command.about.is_empty() {
        format!("{}.", capital(command.summary))
    } else {
        command.about.into()
    };
    let _ = write!(page, "\n.SH DESCRIPTION\n{}\n", roff(&about));
    options(&mut page, &options_of(command));
    let _ = writeln!(page, ".SH SEE ALSO\n.BR {} (8)", roff(usage::PROGRAM));
    page
}

fn options(page: &mut String, options: &[usage::Opt]) {
    page.push_str(".SH OPTIONS\n");
    for option in options {
        let value = option.value.map(|value| format!(" \\fI{}\\fR", roff(value))).unwrap_or_default();
        let _ = write!(page, ".TP\n\\fB\\-\\-{}\\fR{value}", roff(option.name));
        if let Some(letter) = option.short {
            let _ = write!(page, ", \\fB\\-{letter}\\fR{value}");
        }
        let often = if option.repeats { " It may be given more than once." } else { "" };
        let _ = write!(page, "\n{}.{often}\n", roff(&capital(option.help)));
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

/// A text of ours as roff has it: a dash is a hyphen there and a backslash begins an escape.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\e").replace('-', "\\-");
    // A dot or an apostrophe at the beginning of a line is a request.
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", roff(text))
}
