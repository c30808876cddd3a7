//! Identifiers that Prism mints, and how digests are written.

use std::time::SystemTime;

use ulid::Ulid;

/// `req_` and a ULID: sortable by time, unique over all gateways (80 random bits per millisecond).
///
/// The randomness is fast, not secret: an id names a request, it opens nothing.
pub fn request_id(now: SystemTime) -> String {
    with("req_", now)
}

/// The id of something that is kept, such as `key_01K…`, made now.
pub fn unique(prefix: &str) -> String {
    with(prefix, SystemTime::now())
}

/// The same with `evt_`, for events that are not about requests.
pub fn event_id(now: SystemTime) -> String {
    with("evt_", now)
}

/// Bytes as lower-case hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn with(prefix: &str, now: SystemTime) -> String {
    let random = u128::from(fastrand::u64(..)) << 16 | u128::from(fastrand::u16(..));
    let millis = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    let ulid = Ulid::from_parts(u64::try_from(millis).unwrap_or(u64::MAX), random);
    let mut id = String::with_capacity(prefix.len() + ulid::ULID_LEN);
    id.push_str(prefix);
    let mut buffer = [0; ulid::ULID_LEN];
    id.push_str(ulid.array_to_str(&mut buffer));
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_distinct_and_sort_by_time() {
        let early = request_id(SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1));
        let late = request_id(SystemTime::now());
        assert!(early < late);
        assert_ne!(late, request_id(SystemTime::now()));
        assert_eq!(late.len(), 30);
    }
}
