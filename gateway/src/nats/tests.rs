//! The text on the wire, in pieces of any size.

use bytes::BytesMut;
use proptest::prelude::*;

use super::protocol::{self, Said};

const TALK: &[u8] = b"INFO {\"server_name\":\"a\"} \r\nPING\r\nMSG a.b 1 5\r\nhe\r\no\r\n+OK\r\nmsg a 1 _INBOX.x 0\r\n\r\n\
    HMSG _INBOX.x.7 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\nHMSG s 1 $JS.ACK.x 32 34\r\nNATS/1.0\r\nNats-Msg-Id: req_1\r\n\r\nhi\r\n\
    -ERR 'Authorization Violation'\r\nPONG\r\n";

fn read_all(pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<Said> {
    let (mut input, mut found) = (BytesMut::new(), Vec::new());
    for piece in pieces {
        input.extend_from_slice(&piece);
        while let Some(said) = protocol::read(&mut input).unwrap() {
            found.push(said);
        }
    }
    assert!(input.is_empty());
    found
}

#[test]
fn everything_a_server_says_is_read() {
    let said = read_all([TALK.to_vec()]);
    let [Said::Info(info), Said::Ping, Said::Message(plain), Said::Ok, Said::Message(empty), rest @ ..] = &said[..]
    else {
        panic!("{said:?}")
    };
    assert_eq!(&info[..], b"{\"server_name\":\"a\"} ");
    assert_eq!((&plain.subject[..], &plain.payload[..], plain.status()), (&b"a.b"[..], &b"he\r\no"[..], None));
    assert_eq!((&empty.reply[..], empty.payload.len()), (&b"_INBOX.x"[..], 0));
    let [Said::Message(nobody), Said::Message(stored), Said::Error(error), Said::Pong] = rest else {
        panic!("{rest:?}")
    };
    assert_eq!((nobody.status(), nobody.payload.len()), (Some(503), 0));
    assert_eq!((stored.header("nats-msg-id"), &stored.payload[..]), (Some("req_1"), &b"hi"[..]));
    assert_eq!((stored.status(), stored.header("Nats")), (None, None));
    assert_eq!(error, "Authorization Violation");
}

#[test]
fn what_is_not_nats_is_an_error() {
    for text in [
        &b"HTTP/1.1 400 Bad Request\r\n"[..],
        b"MSG a 1\r\n",
        b"MSG a 1 x\r\n",
        b"HMSG a 1 9 5\r\n",
        b"MSG a 1 2\r\nabcd",
        b"\r\n",
    ] {
        assert!(protocol::read(&mut BytesMut::from(text)).is_err(), "{text:?}");
    }
    assert!(protocol::read(&mut BytesMut::from(&b"MSG a 1 99999999999\r\n"[..])).is_err());
}

#[test]
fn what_is_published_is_what_the_protocol_says() {
    let mut out = BytesMut::new();
    protocol::publish(&mut out, "a.b", Some(("_INBOX.x", 120)), &[("Nats-Msg-Id", "req_1"), ("A", "b")], b"hi");
    protocol::publish(&mut out, "c", None, &[], b"");
    assert_eq!(
        &out[..],
        &b"HPUB a.b _INBOX.x.120 38 40\r\nNATS/1.0\r\nNats-Msg-Id: req_1\r\nA: b\r\n\r\nhi\r\nPUB c 0\r\n\r\n"[..]
    );
}

proptest! {
    #[test]
    fn the_talk_is_the_same_however_it_is_cut(size in 1..40_usize) {
        prop_assert_eq!(read_all(TALK.chunks(size).map(<[u8]>::to_vec)), read_all([TALK.to_vec()]));
    }

    #[test]
    fn nothing_makes_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), word in "(H?MSG a 1 )?[0-9]{0,3} ?[0-9]{0,3}\r\n") {
        let mut input = BytesMut::from(word.as_bytes());
        input.extend_from_slice(&bytes);
        while let Ok(Some(_)) = protocol::read(&mut input) {}
    }
}
