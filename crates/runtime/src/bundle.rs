use crate::{Error, document};
use spec::Config;
use std::path::{Path, PathBuf};

/// A directory with a `config.json` (bundle.md).
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The directory, absolute and without links.
    pub path: PathBuf,
    /// Its configuration.
    pub config: Config,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// The directory or its `config.json` cannot be read, or is no configuration; names the file and the property.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.canonicalize().map_err(Error::file("cannot open bundle", directory))?;
        let file = path.join("config.json");
        let config = document::read_config(&file)?;
        Ok(Self { path, config })
    }
}
