use crate::bundle::CONFIG;
use crate::{Error, Record, document};
use rustix::fd::OwnedFd;
use rustix::fs::{Access, FlockOperation, Mode, OFlags, access};
use rustix::io::Errno;
use spec::{Config, ContainerId, State, Status};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Where the records of containers are.
#[derive(Debug, Clone)]
pub struct Store {
    root: PathBuf,
}

/// One container on disk, locked against other commands that change it.
#[derive(Debug)]
pub struct Container {
    directory: PathBuf,
    /// What is remembered about it.
    pub record: Record,
    /// Whether all hooks of its creation have run.
    made: bool,
    lock: Option<OwnedFd>,
}

/// The record of a container whose init is known.
const STATE: &str = "state.json";
/// The record of a start that has not come so far. It has a name of its own because a rename over an existing
/// file makes some file systems write at once (ext4(5), `auto_da_alloc`), and the removal wait for the disk.
const BEGUN: &str = "begun.json";
const LOCK: &str = "lock";
pub(crate) const SOCKET: &str = "start.sock";

impl Store {
    /// The store below a directory like `/run/cuddy`, which need not exist yet.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.join("containers") }
    }

    /// The directory of one container.
    #[must_use]
    pub fn directory(&self, id: &ContainerId) -> PathBuf {
        self.root.join(id.as_str())
    }

    /// Takes a name for a new container and writes its first record.
    ///
    /// # Errors
    /// The name is in use, or the directory cannot be written.
    pub(crate) fn take(&self, record: Record) -> Result<Container, Error> {
        let directory = self.directory(&record.id);
        let lock = loop {
            self.make_directory(&directory, &record.id)?;
            // A `delete --force` in between took the directory for what a killed start left.
            match lock(&directory, OFlags::CREATE) {
                Err(error) if error.is_not_found() => {}
                lock => break lock?,
            }
        };
        // Or somebody else took the name again then.
        if [STATE, BEGUN].iter().any(|name| directory.join(name).exists()) {
            return Err(Error::Exists(record.id.to_string()));
        }
        let container = Container { directory, record, made: false, lock: Some(lock) };
        container.write_as(BEGUN, &container.record)?;
        Ok(container)
    }

    fn make_directory(&self, directory: &Path, id: &ContainerId) -> Result<(), Error> {
        // Passed through by init, who may be nobody to the machine, and listed by nobody but us.
        let mode = Mode::from_raw_mode(0o711);
        let make = || rustix::fs::mkdir(directory, mode);
        let made = match make() {
            Err(Errno::NOENT) => {
                // Who cleans up below XDG_RUNTIME_DIR leaves alone what has the sticky bit.
                let sticky = if rustix::process::geteuid().is_root() { 0 } else { 0o1000 };
                std::fs::DirBuilder::new()
                    .mode(0o711 | sticky)
                    .recursive(true)
                    .create(&self.root)
                    .map_err(Error::file("cannot make", &self.root))?;
                make()
            }
            made => made,
        };
        match made {
            Err(Errno::EXIST) => Err(Error::Exists(id.to_string())),
            made => made.map_err(|errno| Error::file("cannot make", directory)(errno.into())),
        }
    }

    /// Opens a container to look at it.
    ///
    /// # Errors
    /// There is none of that name, or its record cannot be read.
    pub fn open(&self, id: &ContainerId) -> Result<Container, Error> {
        let directory = self.directory(id);
        let (record, made) = read(&directory, id)?;
        Ok(Container { directory, record, made, lock: None })
    }

    /// Opens a container to change it; waits for other commands that do.
    ///
    /// # Errors
    /// As for [`Store::open`].
    pub fn open_locked(&self, id: &ContainerId) -> Result<Container, Error> {
        let directory = self.directory(id);
        let lock = match lock(&directory, OFlags::empty()) {
            Err(error) if error.is_not_found() => return Err(Error::Missing(id.to_string())),
            lock => lock?,
        };
        let (record, made) = read(&directory, id)?;
        Ok(Container { directory, record, made, lock: Some(lock) })
    }

    /// The names of all containers, sorted.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn list(&self) -> Result<Vec<ContainerId>, Error> {
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::file("cannot read", &self.root))?,
        };
        let mut ids: Vec<ContainerId> =
            entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
        ids.sort();
        Ok(ids)
    }

    /// Removes the directory of a container whose lock is held: its name is free then. The lock goes last: by it the next
    /// command finds what is left when this one is killed.
    ///
    /// # Errors
    /// The directory cannot be removed.
    pub(crate) fn remove_directory(&self, id: &ContainerId) -> Result<(), Error> {
        let directory = self.directory(id);
        let remove = || {
            for entry in std::fs::read_dir(&directory)? {
                let entry = entry?;
                match entry.file_type()?.is_dir() {
                    _ if entry.file_name() == LOCK => {}
                    true => std::fs::remove_dir_all(entry.path())?,
                    false => std::fs::remove_file(entry.path())?,
                }
            }
            std::fs::remove_dir_all(&directory)
        };
        match remove() {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            result => result.map_err(Error::file("cannot remove", &directory)),
        }
    }

    /// Removes what a start left that was killed before it wrote its record: an empty name. One that is just being taken is
    /// not touched.
    ///
    /// # Errors
    /// The directory cannot be removed.
    pub(crate) fn remove_leftover(&self, id: &ContainerId) -> Result<(), Error> {
        let directory = self.directory(id);
        match lock(&directory, OFlags::empty()) {
            Ok(_held) => match read(&directory, id) {
                Err(Error::Missing(_)) => self.remove_directory(id),
                _ => Ok(()),
            },
            // Who made it has not come as far as the lock, or never will.
            Err(error) if error.is_not_found() => match rustix::fs::rmdir(&directory) {
                Ok(()) | Err(Errno::NOENT | Errno::NOTEMPTY) => Ok(()),
                Err(errno) => Err(Error::file("cannot remove", directory)(errno.into())),
            },
            Err(error) => Err(error),
        }
    }
}

/// Locks a container; waits for who has it. It is a lock of fcntl(2): it belongs to this process alone, so init does not
/// keep it and nobody's death does.
///
/// The file goes with the container. Who has waited for a lock whose file was removed meanwhile has the lock of a container
/// that is gone, and begins again: there may be another of that name.
fn lock(directory: &Path, more: OFlags) -> Result<OwnedFd, Error> {
    loop {
        let (file, path) = lock_file(directory, more)?;
        let failed = |errno: Errno| Error::file("cannot lock", path)(errno.into());
        rustix::fs::fcntl_lock(&file, FlockOperation::LockExclusive).map_err(failed)?;
        let stat =
            rustix::fs::fstat(&file).map_err(|errno| Error::file("cannot lock", directory)(errno.into()))?;
        if stat.st_nlink > 0 {
            return Ok(file);
        }
    }
}

fn lock_file(directory: &Path, more: OFlags) -> Result<(OwnedFd, PathBuf), Error> {
    let path = directory.join(LOCK);
    let flags = OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW | more;
    let open = rustix::fs::open(&path, flags, Mode::from_raw_mode(0o600));
    let file = open.map_err(|errno| Error::file("cannot open", &path)(errno.into()))?;
    Ok((file, path))
}

/// The record, or that of a start that has not come so far: what it has begun can be undone with it. And
/// whether it has come so far.
fn read(directory: &Path, id: &ContainerId) -> Result<(Record, bool), Error> {
    for name in [STATE, BEGUN] {
        match document::read_record(&directory.join(name)) {
            Err(Error::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {}
            record => return Ok((record?, name == STATE)),
        }
    }
    Err(Error::Missing(id.to_string()))
}

impl Container {
    /// Its directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Whether another process changes it at the moment.
    pub(crate) fn is_locked(&self) -> Result<bool, Error> {
        let (file, path) = match lock_file(&self.directory, OFlags::empty()) {
            // It is gone already.
            Err(Error::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(false);
            }
            opened => opened?,
        };
        match rustix::fs::fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(false),
            Err(Errno::AGAIN | Errno::ACCESS) => Ok(true),
            Err(errno) => Err(Error::file("cannot lock", path)(errno.into())),
        }
    }

    /// Whether this process keeps others from changing it.
    pub(crate) fn is_held(&self) -> bool {
        self.lock.is_some()
    }

    /// Lets other commands change it.
    pub(crate) fn unlock(&mut self) {
        self.lock = None;
    }

    /// What is remembered of it now that it is made.
    pub(crate) fn made(&mut self, record: Record) {
        (self.record, self.made) = (record, true);
    }

    /// The socket on which it waits for `start`.
    #[must_use]
    pub fn start_socket(&self) -> PathBuf {
        self.directory.join(SOCKET)
    }

    /// Writes the record: a reader sees the old one or the new one.
    pub(crate) fn write(&self, record: &Record, status: Status) -> Result<(), Error> {
        self.write_as(if status == Status::Creating { BEGUN } else { STATE }, record)
    }

    /// Keeps the configuration that the container is made from.
    pub(crate) fn keep_config(&self, json: &[u8]) -> Result<(), Error> {
        self.write_bytes(CONFIG, json)
    }

    /// The configuration that it was made from. Without a copy of its own the bundle is nobody else's.
    pub(crate) fn config(&self) -> Result<Config, Error> {
        let config = match document::read_config(&self.directory.join(CONFIG)) {
            Err(Error::File { error, .. }) if error.kind() == std::io::ErrorKind::NotFound => {
                document::read_config(&self.record.bundle.join(CONFIG))
            }
            config => config,
        };
        config.map(|(config, _)| config)
    }

    fn write_as(&self, name: &str, record: &Record) -> Result<(), Error> {
        let path = self.directory.join(name);
        let json = serde_json::to_vec(record).map_err(|error| Error::writing(&path, error.into()))?;
        self.write_bytes(name, &json)
    }

    fn write_bytes(&self, name: &str, bytes: &[u8]) -> Result<(), Error> {
        let (path, temporary) = (self.directory.join(name), self.directory.join(format!(".{name}")));
        let write = || {
            let mut file = std::fs::OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&temporary)?;
            file.write_all(bytes)?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(Error::file("cannot write", &path))
    }

    /// Undoes what its start changed of the machine, and keeps the record: a container that has ended.
    ///
    /// # Errors
    /// Everything that could not be undone.
    pub fn undo(&self) -> Result<(), Error> {
        let failures = executor::undo(&self.record.undo);
        if failures.is_empty() {
            return Ok(());
        }
        Err(Error::Undo { id: self.record.id.to_string(), failures })
    }

    /// Its init in the runtime's pid namespace, while it lives.
    #[must_use]
    pub fn pid(&self) -> Option<i32> {
        self.init().and(self.record.init.as_ref()).map(|init| init.pid)
    }

    /// Whether its creation has begun, and was neither finished nor given up.
    pub(crate) fn is_being_created(&self) -> bool {
        !self.made && self.status() == Status::Creating
    }

    /// What it is doing, as the kernel says.
    #[must_use]
    pub fn status(&self) -> Status {
        self.look().0
    }

    /// What it is doing, and its init while that lives.
    pub(crate) fn look(&self) -> (Status, Option<OwnedFd>) {
        let Some(init) = &self.record.init else { return (Status::Creating, None) };
        let init = init.open();
        let status = match &init {
            None => Status::Stopped,
            Some(_) if !self.made => Status::Creating,
            Some(_) if self.is_paused() => Status::Paused,
            Some(_) if access(self.start_socket(), Access::EXISTS).is_ok() => Status::Created,
            Some(_) => Status::Running,
        };
        (status, init)
    }

    /// Its state, as the specification has it.
    #[must_use]
    pub fn state(&self) -> State {
        self.state_as(self.status())
    }

    /// Its state, when it is known what it is doing.
    pub(crate) fn state_as(&self, status: Status) -> State {
        State {
            oci_version: spec::VERSION.to_owned(),
            id: self.record.id.to_string(),
            status,
            pid: self.record.init.as_ref().filter(|_| status != Status::Stopped).map(|init| init.pid),
            bundle: self.record.bundle.clone(),
            annotations: self.record.annotations.clone(),
        }
    }
}
