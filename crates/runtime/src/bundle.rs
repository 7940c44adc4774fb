use crate::{Error, document};
use spec::Config;
use std::path::{Path, PathBuf};

/// The configuration in a bundle (bundle.md).
pub(crate) const CONFIG: &str = "config.json";

/// A directory with a `config.json` (bundle.md).
#[derive(Debug, Clone)]
pub struct Bundle {
    /// The directory, absolute and without links.
    pub path: PathBuf,
    /// Its configuration.
    pub config: Config,
    /// The same as it was read.
    pub json: Vec<u8>,
}

impl Bundle {
    /// Reads a bundle.
    ///
    /// # Errors
    /// The directory or its `config.json` cannot be read, or is no configuration; names the file and the property.
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::with_config(directory, &directory.join(CONFIG))
    }

    /// Reads a bundle whose configuration is in another file, which need not be in the bundle.
    ///
    /// # Errors
    /// As for [`Bundle::open`].
    pub fn with_config(directory: &Path, config: &Path) -> Result<Self, Error> {
        let path = directory.canonicalize().map_err(Error::file("cannot open bundle", directory))?;
        let file = match config.strip_prefix(directory) {
            Ok(inside) => path.join(inside),
            Err(_) => std::path::absolute(config).map_err(Error::file("cannot read", config))?,
        };
        let (config, json) = document::read_config(&file)?;
        Ok(Self { path, config, json })
    }
}
