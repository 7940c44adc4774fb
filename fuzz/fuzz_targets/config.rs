//! `config.json`: what is read is written the same again, and what is refused is told in bounded words.

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
            assert_eq!(Config::from_slice(&written).expect("what was written can be read"), config);
        }
        Err(error) => assert!(error.to_string().len() < 10_000, "{} is too long", error.to_string().len()),
    }
});
