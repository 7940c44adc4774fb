//! Completion in bash (bash(1), "Programmable Completion").

use std::fmt::Write;

use super::{Offer, options_of, takes_container};

/// What is sourced.
pub fn script() -> String {
    let mut cases = String::new();
    for command in usage::COMMANDS {
        let mut values = String::new();
        values_of(&mut values, &options_of(command), 12);
        let _ = write!(
            cases,
            "        {})\n            options='{}'\n            case $previous in\n{values}            esac\n",
            command.name,
            words_of(&options_of(command))
        );
        if takes_container(command) {
            cases.push_str(
                "            operands=$(\"${words[0]}\" \"${root[@]}\" list --quiet 2>/dev/null)\n",
            );
        }
        cases.push_str("            ;;\n");
    }
    let mut global = String::new();
    values_of(&mut global, usage::GLOBAL, 4);
    let with_value: Vec<_> = usage::GLOBAL
        .iter()
        .filter(|option| option.value.is_some())
        .map(|option| format!("--{}", option.name))
        .collect();
    TEMPLATE
        .replace("@GLOBAL_WITH_VALUE@", &with_value.join("|"))
        .replace("@GLOBAL_VALUES@", &global)
        .replace("@GLOBAL@", &words_of(usage::GLOBAL))
        .replace(
            "@COMMANDS@",
            &usage::COMMANDS.iter().map(|command| command.name).collect::<Vec<_>>().join(" "),
        )
        .replace("@CASES@", &cases)
        .replace("@PROGRAM@", usage::PROGRAM)
}

fn words_of(options: &[usage::Opt]) -> String {
    options.iter().map(|option| format!("--{}", option.name)).collect::<Vec<_>>().join(" ")
}

/// What follows an option that has a value.
fn values_of(text: &mut String, options: &[usage::Opt], indent: usize) {
    let indent = " ".repeat(indent);
    for option in options {
        let Some(offer) = Offer::of(option) else { continue };
        let short = option.short.map(|letter| format!("|-{letter}")).unwrap_or_default();
        let reply = match offer {
            Offer::Words(words) => format!("COMPREPLY=($(compgen -W '{}' -- \"$current\"))", words.join(" ")),
            Offer::Directories => "COMPREPLY=($(compgen -d -- \"$current\"))".to_owned(),
            Offer::Files => "COMPREPLY=($(compgen -f -- \"$current\"))".to_owned(),
            Offer::Nothing => "COMPREPLY=()".to_owned(),
        };
        let _ = writeln!(text, "{indent}--{}{short}) {reply}; return ;;", option.name);
    }
}

const TEMPLATE: &str = r#"# Completion of @PROGRAM@ in bash. Made by `cargo xtask completions`.

_cuddy_oci() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    local words=("${COMP_WORDS[@]}") root=() command='' options='' operands='' index
    COMPREPLY=()
    for ((index = 1; index < COMP_CWORD; index++)); do
        case ${words[index]} in
            --root) root=(--root "${words[index + 1]}"); ((index++)) ;;
            @GLOBAL_WITH_VALUE@) ((index++)) ;;
            -*) ;;
            *) command=${words[index]}; break ;;
        esac
    done
    case $command in
        '')
            case $previous in
@GLOBAL_VALUES@            esac
            options='@GLOBAL@'
            operands='@COMMANDS@'
            ;;
@CASES@    esac
    if [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
    else
        COMPREPLY=($(compgen -W "$operands" -- "$current"))
    fi
}

complete -o filenames -o bashdefault -F _cuddy_oci @PROGRAM@
"#;
