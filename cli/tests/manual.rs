//! What shells and `man` are told of the tool.
#![cfg(unix)]

use std::fs;
use std::process::Command;

use crate::common::{Place, run};

/// The completions that a bash that has sourced the script has for a word on a line.
fn complete(script: &str, line: &[&str]) -> Option<Vec<String>> {
    let words = line.iter().map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ");
    let (at, before) = (line.len() - 1, line[line.len() - 2]);
    let text = format!(
        "source '{script}' || exit; complete -p strait >&2 || exit; COMP_WORDS=({words}); COMP_CWORD={at}; \
         _strait strait '{}' '{before}'; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        line[at]
    );
    let output = Command::new("bash").args(["--norc", "-c", &text]).output().ok()?;
    let (shown, said) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(said.contains("-F _strait") && output.status.success(), "{said}");
    Some(shown.lines().map(String::from).collect())
}

#[test]
fn bash_completes_commands_and_options() {
    let place = Place::new();
    let script = place.path("strait.bash");
    fs::write(&script, run(&["completions", "bash"]).ok()).expect("a file");
    let Some(found) = complete(&script, &["strait", "in"]) else {
        return println!("SKIPPED completion: there is no bash");
    };
    assert_eq!(found, ["inspect"]);
    let found = complete(&script, &["strait", "inspect", "--j"]).expect("bash");
    assert_eq!(found, ["--json"]);
    let found = complete(&script, &["strait", "completions", "fi"]).expect("bash");
    assert_eq!(found, ["fish"]);
    // What the tool only gives itself is not offered.
    for word in ["demo-", "clean", "plant"] {
        assert_eq!(complete(&script, &["strait", word]).expect("bash").concat(), "");
    }
}

#[test]
fn each_shell_has_a_script() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = run(&["completions", shell]).ok();
        for word in ["inspect", "watch", "doctor"] {
            assert!(script.contains(word), "{shell} does not know {word}");
        }
        assert!(!script.contains("demo-part") && !script.contains("clean-up"), "{shell}");
    }
    run(&["completions", "dos"]).refused(2);
}

#[test]
fn each_command_has_a_page_without_a_warning() {
    let place = Place::new();
    let dir = place.path("man");
    run(&["man", &dir]).ok();
    let help = run(&["--help"]).ok();
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let commands: Vec<&str> = commands
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_whitespace().next())
        .collect();
    assert!(commands.contains(&"doctor") && commands.len() > 10, "{help}");
    let pages = commands.iter().map(|command| format!("{dir}/strait-{command}.1"));
    let pages: Vec<String> = pages.chain([format!("{dir}/strait.1")]).collect();
    for page in &pages {
        let text = fs::read_to_string(page).expect("a page");
        assert!(text.contains(".SH NAME") && text.contains(".SH \"EXIT STATUS\""), "{page}: {text}");
        assert!(!page.ends_with("-top.1") || text.contains("strait top arm ./dump"), "{text}");
        let Ok(output) = Command::new("groff").args(["-man", "-ww", "-Tutf8", "-z", page]).output() else {
            println!("SKIPPED the warnings: there is no groff");
            continue;
        };
        assert!(output.stderr.is_empty() && output.status.success(), "{page}: {output:?}");
    }
    assert_eq!(fs::read_dir(&dir).expect("the directory").count(), pages.len(), "a page of no command");
}
