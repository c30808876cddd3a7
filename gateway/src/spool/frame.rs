//! Records on disk: length, checksum, ticket, kind and time, then the bytes.

/// What a record is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Kind {
    /// A request.
    Usage = 1,
    /// A provider's state.
    Provider = 2,
    /// A configuration.
    Config = 3,
    /// A client key.
    Key = 4,
}

impl Kind {
    fn from(byte: u8) -> Option<Self> {
        [Self::Usage, Self::Provider, Self::Config, Self::Key].into_iter().find(|kind| *kind as u8 == byte)
    }
}

pub(super) const HEADER: usize = 24;
/// Nothing longer is ever written: what claims to be is damage.
pub(super) const MOST: usize = 64 << 10;
const TIME_BITS: u32 = 56;

/// A whole frame in a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub kind: Kind,
    pub ticket: u64,
    /// When it was written, in milliseconds since 1970.
    pub millis: u64,
    pub record: &'a [u8],
}

/// What stands at the beginning of a buffer.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Frame(Frame<'a>),
    /// The buffer ends before the frame does.
    Partial,
    Damaged,
}

impl<'a> Frame<'a> {
    pub fn read(bytes: &'a [u8]) -> Found<'a> {
        let Some((header, rest)) = bytes.split_first_chunk::<HEADER>() else { return Found::Partial };
        let word = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().expect("four bytes"));
        let long = |at: usize| u64::from_le_bytes(header[at..at + 8].try_into().expect("eight bytes"));
        let length = word(0) as usize;
        let Some(kind) = Kind::from(header[HEADER - 1]) else { return Found::Damaged };
        if length > MOST {
            return Found::Damaged;
        }
        let Some(record) = rest.get(..length) else { return Found::Partial };
        if word(4) != checksum(&bytes[..HEADER + length]) {
            return Found::Damaged;
        }
        let millis = long(16) & ((1 << TIME_BITS) - 1);
        Found::Frame(Self { kind, ticket: long(8), millis, record })
    }

    pub fn write(&self, out: &mut Vec<u8>) {
        let from = out.len();
        self.put(out);
        seal(&mut out[from..]);
    }

    /// All but the checksum.
    fn put(&self, out: &mut Vec<u8>) {
        let stamp = self.millis | u64::from(self.kind as u8) << TIME_BITS;
        let mut header = [0; HEADER];
        header[..4].copy_from_slice(&(self.record.len() as u32).to_le_bytes());
        header[8..16].copy_from_slice(&self.ticket.to_le_bytes());
        header[16..].copy_from_slice(&stamp.to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(self.record);
    }

    pub fn size(&self) -> usize {
        HEADER + self.record.len()
    }
}

/// Writes frames one after the other. First all are copied, then all summed up: records come from other cores, and copies that
/// nothing waits for wait for them together.
pub(super) fn write_all<'a>(frames: impl Iterator<Item = Frame<'a>>, out: &mut Vec<u8>) {
    let from = out.len();
    frames.for_each(|frame| frame.put(out));
    let mut rest = &mut out[from..];
    while !rest.is_empty() {
        let size = seal(rest);
        rest = &mut rest[size..];
    }
}

/// Puts in the checksum of the frame that stands at the beginning. Answers its size.
fn seal(bytes: &mut [u8]) -> usize {
    let length = u32::from_le_bytes(*bytes.first_chunk().expect("a frame has been put there")) as usize;
    let size = HEADER + length;
    let sum = checksum(&bytes[..size]);
    bytes[4..8].copy_from_slice(&sum.to_le_bytes());
    size
}

/// Of everything behind its own place, in one go; it begins with the length, which stands before it.
fn checksum(frame: &[u8]) -> u32 {
    let length = (frame.len() - HEADER) as u32;
    let mut hasher = crc32fast::Hasher::new_with_initial(length);
    hasher.update(&frame[8..]);
    hasher.finalize()
}
