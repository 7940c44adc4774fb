//! Ids and names that are made up.

use spec::ContainerId;
use std::io;

const ADJECTIVES: [&str; 48] = [
    "able", "amber", "ample", "azure", "balmy", "bold", "brave", "breezy", "bright", "brisk", "calm",
    "clear", "coastal", "crisp", "dapper", "deep", "drifting", "eager", "fair", "foamy", "gentle", "glad",
    "golden", "hardy", "hidden", "jolly", "keen", "lively", "lucky", "mellow", "misty", "moonlit", "nimble",
    "northern", "patient", "placid", "proud", "quiet", "rapid", "salty", "silver", "sleek", "snug", "steady",
    "sunny", "swift", "tidal", "windy",
];

const NOUNS: [&str; 48] = [
    "albatross",
    "anchor",
    "atoll",
    "barge",
    "bay",
    "beacon",
    "bosun",
    "bow",
    "buoy",
    "cabin",
    "capstan",
    "clipper",
    "cog",
    "compass",
    "coral",
    "cutter",
    "deck",
    "dinghy",
    "dory",
    "ferry",
    "fjord",
    "galley",
    "gull",
    "halyard",
    "harbour",
    "hull",
    "jetty",
    "keel",
    "ketch",
    "lagoon",
    "lantern",
    "mast",
    "otter",
    "packet",
    "pelican",
    "pier",
    "puffin",
    "reef",
    "rudder",
    "sail",
    "schooner",
    "sextant",
    "skiff",
    "sloop",
    "tern",
    "tiller",
    "wharf",
    "yawl",
];

/// A new container id: 32 random bytes as 64 hexadecimal digits.
///
/// # Errors
/// getrandom(2) fails, which it does only where it is filtered.
pub fn new_id() -> io::Result<ContainerId> {
    let mut hex = String::with_capacity(64);
    for byte in random::<32>()? {
        for digit in [byte >> 4, byte & 15] {
            hex.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
        }
    }
    hex.parse().map_err(io::Error::other)
}

/// A new name for people, like `salty_skiff`. It may be taken: then ask again, with a number from `attempt` 3 on.
///
/// # Errors
/// As [`new_id`].
pub fn new_name(attempt: u32) -> io::Result<ContainerId> {
    let [a, b, c, d] = random::<4>()?;
    let pick = |words: &[&'static str], high: u8, low: u8| {
        words[usize::from(u16::from_be_bytes([high, low])) % words.len()]
    };
    let mut name = format!("{}_{}", pick(&ADJECTIVES, a, b), pick(&NOUNS, c, d));
    if attempt >= 3 {
        name.push_str(&random::<1>()?[0].to_string());
    }
    name.parse().map_err(io::Error::other)
}

fn random<const N: usize>() -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    let mut filled = 0;
    while filled < N {
        filled += rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_64_digits_and_differ() {
        let id = new_id().unwrap();
        assert_eq!(id.as_str().len(), 64);
        assert!(id.as_str().bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)), "{id}");
        assert_ne!(id, new_id().unwrap());
    }

    #[test]
    fn every_word_can_be_part_of_a_name() {
        for word in ADJECTIVES.iter().chain(&NOUNS) {
            assert!(word.bytes().all(|b| b.is_ascii_lowercase()), "{word}");
        }
        assert_eq!(new_name(0).unwrap().as_str().split('_').count(), 2);
    }
}
