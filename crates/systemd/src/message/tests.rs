use super::*;
use proptest::prelude::*;

const PING: Method = Method { destination: "org.x", interface: "org.x.I", name: "Ping", takes: "s" };

/// A message as a peer would send it: fields as code, type and text.
fn received(kind: u8, fields: &[(u8, &str, &str)], body: &[u8]) -> Vec<u8> {
    let mut message = Writer { bytes: vec![b'l', kind, 0, 1] };
    message.uint32(body.len() as u32);
    message.uint32(1);
    message.array(8, |writer| {
        for (code, kind, text) in fields {
            writer.align(8);
            writer.byte(*code);
            writer.signature(kind);
            match *kind {
                "u" => writer.uint32(text.parse().unwrap()),
                "g" => writer.signature(text),
                _ => writer.text(text),
            }
        }
    });
    message.align(8);
    message.bytes.extend(body);
    message.bytes
}

#[test]
fn a_call_as_bytes() {
    let mut body = Writer::default();
    body.text("hi");
    let bytes = call(7, PING, "/org/x", &body.bytes);
    // Little-endian, a call, no flags, version 1; 7 bytes of body; serial 7; 71 bytes of fields.
    assert_eq!(bytes[..HEAD], [b'l', 1, 0, 1, 7, 0, 0, 0, 7, 0, 0, 0, 71, 0, 0, 0]);
    assert_eq!(bytes[HEAD..HEAD + 16], *b"\x01\x01o\0\x06\0\0\0/org/x\0\0");
    assert_eq!(bytes[bytes.len() - 7..], *b"\x02\0\0\0hi\0");
    assert_eq!(length(&bytes), Ok(bytes.len()));
}

#[test]
fn messages_are_read() {
    let sender = (SENDER, "s", ":1.4");
    let text = |text: &str| {
        let mut body = Writer::default();
        body.text(text);
        body.bytes
    };
    let cases = [
        (METHOD_RETURN, vec![(REPLY_SERIAL, "u", "3"), (SIGNATURE, "g", "o"), sender], Kind::Answer(3)),
        (
            ERROR,
            vec![(ERROR_NAME, "s", "org.x.No"), (REPLY_SERIAL, "u", "3"), (SIGNATURE, "g", "s"), sender],
            Kind::Failure(3, "org.x.No".into()),
        ),
        (
            SIGNAL,
            vec![(MEMBER, "s", "JobRemoved"), sender, (77, "s", "later")],
            Kind::Signal("JobRemoved".into()),
        ),
        (METHOD_CALL, vec![sender], Kind::Other),
    ];
    for (kind, fields, expected) in cases {
        let message = parse(&received(kind, &fields, &text("why"))).unwrap();
        assert_eq!((message.kind, message.sender.as_deref()), (expected, Some(":1.4")));
        assert_eq!(message.body, text("why"));
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let good = received(METHOD_RETURN, &[(REPLY_SERIAL, "u", "3")], b"");
    assert!(parse(&good).is_ok());
    let changed = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        bytes
    };
    for (why, bytes) in [
        ("big-endian", changed(0, b'B')),
        ("another version", changed(3, 2)),
        ("fields that end elsewhere", changed(12, 7)),
        ("a body that is not there", changed(4, 1)),
        ("longer than any", changed(7, 1)),
        ("cut short", good[..good.len() - 1].to_vec()),
        ("an answer to nothing", received(METHOD_RETURN, &[], b"")),
        ("an error without a name", received(ERROR, &[(REPLY_SERIAL, "u", "3")], b"")),
        ("a signal without a name", received(SIGNAL, &[], b"")),
        ("nothing", Vec::new()),
    ] {
        assert_eq!(parse(&bytes), Err(Malformed), "{why}");
    }
}

#[test]
fn a_variant_that_holds_a_text() {
    let variant = |signature: &str, body: &[u8]| {
        let fields = [(REPLY_SERIAL, "u", "3"), (SIGNATURE, "g", signature)];
        parse(&received(METHOD_RETURN, &fields, body)).unwrap().variant_text().map(str::to_owned)
    };
    assert_eq!(variant("v", b"\x01s\0\0\x03\0\0\x00252\0"), Ok("252".to_owned()));
    assert_eq!(variant("v", b"\x01u\0\0\x03\0\0\0"), Err(Malformed));
    assert_eq!(variant("s", b"\x03\0\0\x00252\0"), Err(Malformed));
    assert_eq!(variant("v", b"\x01s\0\0\x09\0\0\x00252\0"), Err(Malformed));
}

proptest! {
    #[test]
    fn bytes_of_any_kind_do_not_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&bytes);
        let mut framed = vec![b'l', METHOD_RETURN, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, bytes.len() as u8, 0, 0, 0];
        framed.extend(&bytes);
        framed.resize(framed.len().next_multiple_of(8), 0);
        if let Ok(message) = parse(&framed) {
            let _ = message.variant_text();
        }
    }
}
