//! Completion in zsh (zshcompsys(1)).

use std::fmt::Write;

use super::{Offer, options_of, takes_container};

/// The function that zsh loads by its name.
pub fn script() -> String {
    let mut names = String::new();
    let mut cases = String::new();
    for command in usage::COMMANDS {
        let _ = writeln!(names, "    '{}:{}'", command.name, quoted(command.summary));
        let _ = write!(cases, "        {})\n            _arguments \\\n", command.name);
        specifications(&mut cases, &options_of(command), 16);
        let operand = match takes_container(command) {
            true => "'1:container:_cuddy_oci_containers'",
            false if command.operands.is_empty() => "",
            false => "'1:container: '",
        };
        let _ = write!(cases, "                {operand} '*::word:_default'\n            ;;\n");
    }
    let mut global = String::new();
    specifications(&mut global, usage::GLOBAL, 8);
    TEMPLATE
        .replace("@GLOBAL@", &global)
        .replace("@NAMES@", &names)
        .replace("@CASES@", &cases)
        .replace("@PROGRAM@", usage::PROGRAM)
}

/// `'(-b --bundle)'{-b,--bundle}'[help]:DIR:_files -/'`.
fn specifications(text: &mut String, options: &[usage::Opt], indent: usize) {
    for option in options {
        let action = match Offer::of(option) {
            None => String::new(),
            Some(Offer::Words(words)) => format!(":value:({})", words.join(" ")),
            Some(Offer::Directories) => ":directory:_files -/".to_owned(),
            Some(Offer::Files) => ":file:_files".to_owned(),
            Some(Offer::Nothing) => ":value: ".to_owned(),
        };
        let equals = if option.value.is_some() { "=" } else { "" };
        let help = quoted(option.help);
        let names = match (option.short, option.repeats) {
            (Some(letter), false) => format!("'(-{letter} --{0})'{{-{letter},--{0}{equals}}}", option.name),
            (Some(letter), true) => format!("'*'{{-{letter},--{}{equals}}}", option.name),
            (None, repeats) => format!("{}--{}{equals}", if repeats { "\\*" } else { "" }, option.name),
        };
        let _ = writeln!(text, "{}{names}'[{help}]{action}' \\", " ".repeat(indent));
    }
}

/// Inside of single quotes, where brackets and colons have a meaning.
fn quoted(text: &str) -> String {
    text.replace('\'', "'\\''").replace('[', "\\[").replace(']', "\\]").replace(':', "\\:")
}

const TEMPLATE: &str = r#"#compdef @PROGRAM@
# Completion of @PROGRAM@ in zsh. Made by `cargo xtask completions`.

_cuddy_oci_containers() {
    local -a containers
    containers=(${(f)"$(_call_program containers $words[1] ${opt_args[--root]:+--root} ${opt_args[--root]} list --quiet)"})
    _describe 'container' containers
}

_cuddy_oci() {
    local context state line
    local -a commands
    typeset -A opt_args
    commands=(
@NAMES@    )
    _arguments -C \
@GLOBAL@        '1:command:->command' '*::argument:->argument'
    case $state in
        command) _describe 'command' commands ;;
        argument)
    case $words[1] in
@CASES@    esac
    ;;
    esac
}

_cuddy_oci "$@"
"#;
