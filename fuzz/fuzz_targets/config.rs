//! `config.json`: what is read and written is read and written the same again (names of unknown capabilities are lost the
//! first time), and what is refused is told in bounded words.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use spec::Config;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|json: &[u8]| {
    match Config::from_slice(json) {
        Ok(config) => {
            let written = serde_json::to_vec(&config).expect("what was read can be written");
            let again = Config::from_slice(&written).expect("what was written can be read");
            assert_eq!(serde_json::to_vec(&again).expect("as before"), written);
        }
        Err(error) => assert!(error.to_string().len() < 10_000, "{} is too long", error.to_string().len()),
    }
});
