//! Heads that hyper cannot read: it answers them by itself, with a status and nothing else. They get our envelope.

use std::time::SystemTime;

use bytes::Bytes;
use memchr::memmem;

use super::{reply, status};
use crate::{
    ids,
    refusal::{Cause, Refusal},
};

/// What goes out in place of an answer of hyper's own; `None` for any other.
pub(super) fn page(written: &[u8]) -> Option<Bytes> {
    let refusal = match written.strip_prefix(b"HTTP/1.1 ")?.get(..3)? {
        b"400" => Refusal::new(Cause::Invalid, "the request's head is not valid HTTP/1.1").code("malformed_request"),
        b"414" => Refusal::new(Cause::Invalid, "the request's path is too long").code("uri_too_long"),
        b"431" => Refusal::new(Cause::Invalid, "the request's headers are too large").code("headers_too_large"),
        _ => return None,
    };
    // an answer of ours always has a body
    memmem::find(written, b"\r\ncontent-length: 0\r\n")?;
    let line = &written[..memmem::find(written, b"\r\n")?];
    let (body, id) = (status::envelope(&refusal), ids::request_id(SystemTime::now()));
    let mut page = line.to_vec();
    let (plain, ours) = (reply::REQUEST_ID, reply::PRISM_REQUEST_ID);
    page.extend_from_slice(b"\r\ncontent-type: application/json\r\nconnection: close\r\n");
    page.extend_from_slice(
        format!("{plain}: {id}\r\n{ours}: {id}\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(),
    );
    page.extend_from_slice(&body);
    Some(page.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hypers_own_refusals_are_replaced() {
        let page = |head: &str| page(head.as_bytes()).map(|page| String::from_utf8(page.to_vec()).unwrap());
        let own = page("HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\ndate: x\r\n\r\n").unwrap();
        assert!(own.starts_with("HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: application/json\r\n"));
        assert!(own.contains("\r\nconnection: close\r\n") && own.contains(r#""code":"headers_too_large""#), "{own}");
        for head in [
            "HTTP/1.1 400 Bad Request\r\ncontent-type: application/json\r\ncontent-length: 10\r\n\r\n0123456789",
            "HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n",
            "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
            "data: HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n",
            "HTTP/1.1",
        ] {
            assert_eq!(page(head), None, "{head}");
        }
    }
}
