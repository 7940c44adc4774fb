use crate::Error;
use rustix::fd::OwnedFd;
use rustix::fs::{Gid, Mode};
use spec::{Config, NamespaceKind};
use std::io;

/// A directory of images that root of a user namespace may pass through while it is restored: processes of the
/// container open their own images, and to root of the machine alone these would be closed.
///
/// It lends the directory to the group of the container's root, which gives nobody else a way in.
#[derive(Debug)]
pub(super) struct Lent {
    images: OwnedFd,
    before: Option<(u32, Mode)>,
}

impl Lent {
    /// Lends a directory to a container that makes a user namespace.
    ///
    /// # Errors
    /// fchown(2) or fchmod(2) fails.
    pub fn to(config: &Config, images: &OwnedFd) -> io::Result<Self> {
        let images = images.try_clone()?;
        let Some(group) = root_group(config) else { return Ok(Self { images, before: None }) };
        let stat = rustix::fs::fstat(&images)?;
        let mode = Mode::from_raw_mode(stat.st_mode);
        let lent = Self { images, before: Some((stat.st_gid, mode)) };
        rustix::fs::fchown(&lent.images, None, Some(Gid::from_raw(group)))?;
        rustix::fs::fchmod(&lent.images, mode | Mode::XGRP)?;
        Ok(lent)
    }

    /// Takes it back, if it still is lent.
    ///
    /// # Errors
    /// fchown(2) or fchmod(2) fails.
    pub fn take_back(&mut self) -> Result<(), Error> {
        let Some((group, mode)) = self.before.take() else { return Ok(()) };
        let mode = rustix::fs::fchmod(&self.images, mode);
        let group = rustix::fs::fchown(&self.images, None, Some(Gid::from_raw(group)));
        mode.and(group)
            .map_err(|errno| Error::file("cannot take back the images from", "the container")(errno.into()))
    }
}

/// The group of the machine that is group 0 of a new user namespace.
fn root_group(config: &Config) -> Option<u32> {
    let linux = config.linux.as_ref()?;
    linux.namespaces.iter().find(|namespace| namespace.kind == NamespaceKind::User)?;
    let holds = |id: u32, first: u32, size: u32| first <= id && u64::from(id - first) < u64::from(size);
    let map = linux.gid_mappings.iter().find(|map| holds(0, map.container_id, map.size))?;
    Some(map.host_id)
}
