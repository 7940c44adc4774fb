//! A seccomp agent: takes the listeners of filters and answers for calls.

use std::io::{IoSliceMut, Read};
use std::mem::MaybeUninit;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::thread;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fd::OwnedFd;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};
use serde_json::Value;
use sys::seccomp::{Answer, Notification};
use testbed::Scratch;

use super::SOON;

/// A socket that agents of these tests listen on.
pub struct Agent {
    directory: Scratch,
    socket: UnixListener,
}

impl Agent {
    pub fn new() -> Agent {
        let directory = Scratch::new();
        let socket = UnixListener::bind(directory.path().join("agent.sock")).expect("a socket of ours");
        Agent { directory, socket }
    }

    pub fn path(&self) -> PathBuf {
        self.directory.path().join("agent.sock")
    }

    /// Takes one listener, and the container process state that came with it; a state that is not all that is said on the
    /// connection is none.
    #[track_caller]
    pub fn take(&self) -> (Value, OwnedFd) {
        let deadline = Timespec::try_from(SOON).expect("some seconds");
        let ready = poll(&mut [PollFd::new(&self.socket, PollFlags::IN)], Some(&deadline));
        assert_eq!(ready, Ok(1), "nobody came to {}", self.path().display());
        let (mut stream, _) = self.socket.accept().expect("somebody waits");
        let (mut text, listener) = receive(&stream);
        stream.read_to_end(&mut text).expect("the rest, up to the end of the connection");
        (serde_json::from_slice(&text).expect("a container process state"), listener)
    }

    /// Takes one listener and answers for every call until no process is left that could make one.
    pub fn serve(&self, answer: impl Fn(&Notification) -> Answer) -> Value {
        let (state, listener) = self.take();
        serve(&listener, answer);
        state
    }

    /// Does something while an agent serves one container; what it was told, and what was done.
    pub fn during<T>(
        &self,
        answer: impl Fn(&Notification) -> Answer + Send + Sync,
        act: impl FnOnce() -> T,
    ) -> (Value, T) {
        thread::scope(|scope| {
            let serving = scope.spawn(|| self.serve(answer));
            let done = act();
            (serving.join().expect("the agent"), done)
        })
    }
}

fn receive(stream: &UnixStream) -> (Vec<u8>, OwnedFd) {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(2))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let mut text = vec![0; 1 << 16];
    let received =
        recvmsg(stream, &mut [IoSliceMut::new(&mut text)], &mut ancillary, RecvFlags::CMSG_CLOEXEC)
            .expect("a message");
    text.truncate(received.bytes);
    let mut descriptors: Vec<OwnedFd> = ancillary
        .drain()
        .flat_map(|message| match message {
            RecvAncillaryMessage::ScmRights(descriptors) => descriptors.collect(),
            _ => Vec::new(),
        })
        .collect();
    assert_eq!(descriptors.len(), 1, "one descriptor, with the first part");
    (text, descriptors.remove(0))
}

/// Answers for every call until no process is left that could make one.
pub fn serve(listener: &OwnedFd, answer: impl Fn(&Notification) -> Answer) {
    loop {
        let mut ready = [PollFd::new(listener, PollFlags::IN)];
        poll(&mut ready, None).expect("poll");
        if !ready[0].revents().contains(PollFlags::IN) {
            return;
        }
        // Who asked may have ended meanwhile.
        let Ok(notification) = sys::seccomp::next_notification(listener) else { continue };
        let _ = sys::seccomp::answer(listener, notification.id, answer(&notification));
    }
}
