//! Imports archives into a store and says how long each took: `import STORE ARCHIVE...`

use std::path::Path;
use std::time::Instant;

fn main() -> Result<(), image::Error> {
    let arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let Some((store, archives)) = arguments.split_first() else {
        eprintln!("usage: import STORE ARCHIVE...");
        std::process::exit(2);
    };
    let store = image::Store::open(Path::new(store))?;
    for archive in archives {
        let start = Instant::now();
        let mut syncing = None;
        let layer = store.import_archive(Path::new(archive), &mut |progress| {
            if progress == image::Progress::Syncing {
                syncing = Some(Instant::now());
            }
        })?;
        let sync = syncing.map_or_else(Default::default, |at| at.elapsed());
        println!("{} in {:?}, of it {sync:?} to sync: {layer:?}", archive.display(), start.elapsed());
    }
    Ok(())
}
