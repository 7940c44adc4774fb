//! The patterns of `delete --regex`: as much of regular expressions (regex(7)) as names of containers call for.

/// Whether a pattern is found in a text: `^` and `$` are its ends, `.` is any character, and `*` means any number of what
/// stands before it. Every other character is itself.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    match pattern.strip_prefix(b"^") {
        Some(pattern) => here(pattern, text),
        None => (0..=text.len()).any(|from| here(pattern, &text[from..])),
    }
}

/// Whether a pattern matches at the beginning of a text.
fn here(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => true,
        b"$" => text.is_empty(),
        [one, b'*', rest @ ..] => {
            let longest = text.iter().take_while(|c| is(*one, **c)).count();
            (0..=longest).any(|length| here(rest, &text[length..]))
        }
        [one, rest @ ..] => {
            text.split_first().is_some_and(|(first, text)| is(*one, *first) && here(rest, text))
        }
    }
}

fn is(pattern: u8, character: u8) -> bool {
    pattern == b'.' || pattern == character
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let cases = [
            ("test-*", "a-test", true),
            ("^test-*", "a-test", false),
            ("^test-.*7$", "test-1027", true),
            ("^test-.*7$", "test-10", false),
            ("^web$", "web2", false),
            ("^w.b", "swab", false),
            ("w.b", "web", true),
            ("", "anything", true),
        ];
        for (pattern, text, expect) in cases {
            assert_eq!(matches(pattern, text), expect, "{pattern} {text}");
        }
    }
}
