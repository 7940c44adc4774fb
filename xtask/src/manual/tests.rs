use std::process::Command;

use super::*;

#[test]
fn every_command_and_option_is_in_every_file() {
    let manual: String = man::pages().into_iter().map(|(_, text)| text).collect();
    for command in usage::COMMANDS {
        for (file, text) in [("bash", bash::script()), ("zsh", zsh::script()), ("fish", fish::script())] {
            assert!(text.contains(command.name), "{file}: {}", command.name);
            for option in command.options {
                let long =
                    if file == "fish" { format!("-l {}", option.name) } else { format!("--{}", option.name) };
                assert!(text.contains(&long), "{file}: {} {long}", command.name);
            }
        }
        for option in command.options {
            let long = format!("\\-\\-{}", option.name.replace('-', "\\-"));
            assert!(manual.contains(&long), "{} {long}", command.name);
        }
    }
    assert_eq!(man::pages().len(), usage::COMMANDS.len() + 1);
}

/// What bash offers after these words, the last of which is not finished.
fn offered(words: &[&str]) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("completion");
    fs::write(&script, bash::script()).unwrap();
    let quoted: Vec<_> = words.iter().map(|word| format!("'{word}'")).collect();
    let ask = format!(
        "source '{}'; COMP_WORDS=({}); COMP_CWORD={}; _cuddy_oci; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        script.display(),
        quoted.join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &ask]).output().unwrap();
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .filter(|line| !line.is_empty())
        .collect()
}

#[test]
fn bash_offers_what_may_follow() {
    let program = usage::PROGRAM;
    let cases: [(&[&str], &[&str]); 8] = [
        (&["pa"], &["pause"]),
        (&["--log-f"], &["--log-format"]),
        (&["--log-format", "j"], &["json"]),
        (&["--root", "/no", "res"], &["restore", "resume"]),
        (&["create", "--con"], &["--config", "--console-socket"]),
        (&["--debug", "list", "--format", ""], &["table", "json"]),
        (&["list", "--format", "json", "-"], &["--format", "--quiet", "--help"]),
        (&["exec", "--env", ""], &[]),
    ];
    for (words, expect) in cases {
        assert_eq!(offered(&[&[program], words].concat()), expect, "{words:?}");
    }
}

/// Where a shell or groff is installed, it reads what is made for it.
#[test]
fn what_is_made_is_understood() {
    let directory = tempfile::tempdir().unwrap();
    let checks: [(&str, &[&str], Vec<Page>); 3] = [
        ("zsh", &["-n"], vec![("zsh".into(), zsh::script())]),
        ("fish", &["--no-execute"], vec![("fish".into(), fish::script())]),
        ("groff", &["-ww", "-man", "-Tutf8"], man::pages()),
    ];
    for (program, words, pages) in checks {
        write(directory.path(), &pages).unwrap();
        for (name, _) in pages {
            let Ok(output) = Command::new(program).args(words).arg(directory.path().join(name)).output()
            else {
                break;
            };
            assert!(output.status.success() && output.stderr.is_empty(), "{program}: {output:?}");
        }
    }
}
