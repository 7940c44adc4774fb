//! Archives into the store, on a real file system.

use libtest_mimic::{Arguments, Trial};

fn main() {
    let trials: Vec<Trial> = Vec::new();
    libtest_mimic::run(&Arguments::from_args(), trials).exit();
}
