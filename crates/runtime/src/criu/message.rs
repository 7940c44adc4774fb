//! What is said to criu and what it answers: `images/rpc.proto` of its source, as far as it is needed here.

use super::protobuf::{Message, fields};

/// `criu_req_type`: what is asked for, and what an answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Kind {
    Dump = 1,
    Restore = 2,
    PreDump = 4,
    Notify = 6,
}

/// The fields of `criu_opts` that are set, by their numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Field {
    ImagesDirFd = 1,
    Pid = 2,
    LeaveRunning = 3,
    ExtUnixSk = 4,
    TcpEstablished = 5,
    EvasiveDevices = 6,
    ShellJob = 7,
    FileLocks = 8,
    LogLevel = 9,
    LogFile = 10,
    PageServer = 11,
    NotifyScripts = 12,
    Root = 13,
    ParentImage = 14,
    TrackMemory = 15,
    AutoDedup = 16,
    WorkDirFd = 17,
    LinkRemap = 18,
    ExternalMount = 23,
    /// The older of two ways to say how cgroups are treated; the mode overrides it.
    ManageCgroups = 24,
    CgroupRoot = 25,
    RestoreSibling = 26,
    InheritFd = 27,
    ManageCgroupsMode = 34,
    External = 37,
    EmptyNamespaces = 38,
    JoinNamespace = 39,
    FreezeCgroup = 44,
    TcpSkipInFlight = 46,
    LazyPages = 48,
    OrphanPtsMaster = 50,
    ConfigFile = 51,
    LsmProfile = 53,
    LsmMountContext = 63,
}

/// `criu_opts` in the making.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Options(Message);

impl Options {
    pub fn flag(&mut self, field: Field, value: bool) {
        self.0.number(field as u32, value.into());
    }

    pub fn number(&mut self, field: Field, value: i64) {
        self.0.signed(field as u32, value);
    }

    pub fn text(&mut self, field: Field, value: &[u8]) {
        self.0.bytes(field as u32, value);
    }

    /// A pair of texts: an external mount and its name, a hierarchy of cgroups and its root, a namespace and its
    /// file.
    pub fn pair(&mut self, field: Field, first: &[u8], second: &[u8]) {
        let mut pair = Message::default();
        pair.bytes(1, first);
        pair.bytes(2, second);
        self.0.message(field as u32, &pair);
    }

    /// A name and a descriptor of criu's own.
    pub fn inherit(&mut self, name: &[u8], descriptor: i32) {
        let mut pair = Message::default();
        pair.bytes(1, name);
        pair.signed(2, descriptor.into());
        self.0.message(Field::InheritFd as u32, &pair);
    }

    /// Where pages are sent to.
    pub fn page_server(&mut self, address: &str, port: u16) {
        let mut server = Message::default();
        server.bytes(1, address.as_bytes());
        server.number(2, port.into());
        self.0.message(Field::PageServer as u32, &server);
    }
}

/// `criu_req`: asks for something.
pub(crate) fn request(kind: Kind, options: &Options) -> Message {
    let mut request = Message::default();
    request.number(1, kind as u64);
    request.message(2, &options.0);
    request
}

/// `criu_req`: the answer to a notice. criu gives up unless it is good.
pub(crate) fn noticed(well: bool) -> Message {
    let mut request = Message::default();
    request.number(1, Kind::Notify as u64);
    request.number(3, well.into());
    request
}

/// `criu_resp`: what criu says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Response {
    /// What it is about.
    pub kind: i32,
    /// Whether it went well.
    pub success: bool,
    /// The first process that was restored, in criu's pid namespace.
    pub restored: Option<i32>,
    /// The point that was reached, when this is a notice.
    pub notice: Option<Notice>,
    /// An errno, where there was one.
    pub errno: i32,
    /// The first error that it logged.
    pub message: String,
}

/// `criu_notify`: a point on the way, where criu waits for an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Notice {
    /// Its name, like `post-restore`.
    pub script: String,
    /// The first process that is restored, where there is one.
    pub pid: Option<i32>,
}

impl Response {
    /// Reads one; `None`: it is none.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut response = Self::default();
        for (field, value) in fields(bytes)? {
            match field {
                1 => response.kind = value.as_i32()?,
                2 => response.success = value.as_i32()? != 0,
                4 => {
                    let inner = fields(value.as_bytes()?)?;
                    response.restored = inner.into_iter().find(|(field, _)| *field == 1)?.1.as_i32();
                }
                5 => response.notice = Some(Notice::read(value.as_bytes()?)?),
                7 => response.errno = value.as_i32()?,
                9 => response.message = value.as_text()?,
                _ => {}
            }
        }
        Some(response)
    }

    pub fn is(&self, kind: Kind) -> bool {
        self.kind == kind as i32
    }
}

impl Notice {
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut notice = Self::default();
        for (field, value) in fields(bytes)? {
            match field {
                1 => notice.script = value.as_text()?,
                2 => notice.pid = value.as_i32(),
                _ => {}
            }
        }
        Some(notice)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_has_its_options() {
        let mut options = Options::default();
        options.number(Field::ImagesDirFd, 5);
        options.flag(Field::LeaveRunning, true);
        options.pair(Field::ExternalMount, b"/data", b"x");
        options.inherit(b"pipe:[7]", 1);
        let options_bytes = [
            &[0x08, 5, 0x18, 1][..],
            b"\xba\x01\x0a\x0a\x05/data\x12\x01x",
            b"\xda\x01\x0c\x0a\x08pipe:[7]\x10\x01",
        ]
        .concat();
        let expect = [&[0x08, 1, 0x12, options_bytes.len() as u8][..], &options_bytes].concat();
        assert_eq!(request(Kind::Dump, &options).as_bytes(), expect);
        assert_eq!(noticed(true).as_bytes(), [0x08, 6, 0x18, 1]);
    }

    #[test]
    fn answers_and_notices_are_read() {
        let answer =
            b"\x08\x02\x10\x00\x22\x0b\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x38\x02\x4a\x02no";
        let expect = Response {
            kind: 2,
            restored: Some(-1),
            errno: 2,
            message: "no".to_owned(),
            ..Response::default()
        };
        assert_eq!(Response::read(answer), Some(expect));
        let notice = b"\x08\x06\x10\x01\x2a\x0c\x0a\x08post-xyz\x10\x2a";
        let read = Response::read(notice).unwrap();
        assert!(read.is(Kind::Notify) && read.success);
        assert_eq!(read.notice, Some(Notice { script: "post-xyz".to_owned(), pid: Some(42) }));
        assert_eq!(Response::read(b"\x2a\x05\x0a"), None);
    }
}
