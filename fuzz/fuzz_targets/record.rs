//! `begun.json` and `state.json`: what is read is written the same again.

#![no_main]

use libfuzzer_sys::{fuzz_mutator, fuzz_target};
use runtime::Record;

fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    fuzz::mutate(data, size, max_size, seed)
});

fuzz_target!(|json: &[u8]| {
    if let Ok(record) = spec::from_slice::<Record>(json) {
        let written = serde_json::to_vec(&record).expect("what was read can be written");
        assert_eq!(spec::from_slice::<Record>(&written).expect("what was written can be read"), record);
    }
});
