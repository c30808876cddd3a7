//! What bytes are, told from how they begin.

/// (where, how they begin, media type)
const BEGINNINGS: &[(usize, &[u8], &str)] = &[
    (0, b"\x89PNG\r\n\x1a\n", "image/png"),
    (0, b"\xff\xd8\xff", "image/jpeg"),
    (0, b"GIF87a", "image/gif"),
    (0, b"GIF89a", "image/gif"),
    (8, b"WEBP", "image/webp"),
    (0, b"%PDF-", "application/pdf"),
    (0, b"PK\x03\x04", ZIP),
    (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", OLE),
];
const ZIP: &str = "application/zip";
const OLE: &str = "application/x-ole-storage";
/// What is packed in them cannot be told from the beginning.
const PACKED: &[(&str, &str)] = &[
    ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ZIP),
    ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ZIP),
    ("application/msword", OLE),
    ("application/vnd.ms-excel", OLE),
];
/// Servers that do not know say this.
const UNKNOWN: &[&str] = &["", "application/octet-stream", "binary/octet-stream"];

/// Which of the types that are taken these bytes have; `declared` is what the server says (`Content-Type`).
///
/// Images and PDF are what their bytes are: a JPEG that is declared as a PNG, which is common, is a JPEG. Text has no
/// mark of its own and is what the server says.
pub fn media_type(declared: &str, bytes: &[u8], takes: &[&'static str]) -> Option<&'static str> {
    let declared = declared.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let declared = if declared == "image/jpg" { "image/jpeg" } else { &declared };
    let begins = |(at, mark, _): &&(usize, &[u8], &str)| bytes.get(*at..).is_some_and(|rest| rest.starts_with(mark));
    let found = BEGINNINGS.iter().find(begins).map(|(.., kind)| *kind);
    let is = match found {
        Some(packed @ (ZIP | OLE)) => {
            PACKED.iter().find(|(kind, inside)| *inside == packed && *kind == declared).map(|(kind, _)| *kind)?
        }
        Some(kind) if kind == declared || UNKNOWN.contains(&declared) => kind,
        Some(kind) if kind.starts_with("image/") && declared.starts_with("image/") => kind,
        Some(_) => return None,
        None if declared.starts_with("text/") && !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok() => declared,
        None => return None,
    };
    takes.iter().copied().find(|taken| *taken == is)
}

#[cfg(test)]
mod tests {
    use super::media_type;

    #[test]
    fn bytes_and_server_have_to_agree() {
        const TAKES: &[&str] = &["image/png", "image/jpeg", "application/pdf", "application/msword", "text/plain"];
        let png = b"\x89PNG\r\n\x1a\nrest".as_slice();
        let jpeg = b"\xff\xd8\xff\xe0rest".as_slice();
        let word = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest".as_slice();
        for (declared, bytes, expected) in [
            ("image/png", png, Some("image/png")),
            ("Image/PNG; charset=x", png, Some("image/png")),
            ("image/png", jpeg, Some("image/jpeg")),
            ("image/jpg", jpeg, Some("image/jpeg")),
            ("", png, Some("image/png")),
            ("application/octet-stream", b"%PDF-1.7", Some("application/pdf")),
            ("text/html", png, None),
            ("image/png", b"<html>", None),
            ("image/png", b"", None),
            ("image/gif", b"GIF89a..", None),
            ("application/msword", word, Some("application/msword")),
            ("application/octet-stream", word, None),
            ("text/plain; charset=utf-8", b"plain", Some("text/plain")),
            ("text/plain", b"pl\0ain", None),
            ("text/html", b"<html>", None),
            ("application/octet-stream", b"plain", None),
        ] {
            assert_eq!(media_type(declared, bytes, TAKES), expected, "{declared} {bytes:?}");
        }
    }
}
