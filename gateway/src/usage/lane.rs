//! One log on its way to JetStream.

use std::{collections::HashSet, io, sync::Arc};

use crate::spool::{Log, Reader, Record};

/// The name of the publisher's cursors.
pub(super) const CONSUMER: &str = "nats";
/// Bytes read from a log at once.
const READ: usize = 64 << 10;
/// Bytes of a log that may be sent and not written down as done: what a restart sends again.
const UNRELEASED: u64 = 256 << 10;
/// Behind this many bytes past what was written down nothing can have been sent before.
pub(super) const DOUBTFUL: u64 = UNRELEASED + READ as u64;

/// A log, how far it has been read, and how far what was read is done with.
pub(super) struct Lane {
    log: Arc<Log>,
    /// Away while a thread that may wait reads with it.
    reader: Option<Reader>,
    /// Where the reader stands.
    position: u64,
    acknowledged: u64,
    /// Written down: a restart begins here.
    released: u64,
    /// The furthest that was ever sent.
    sent: u64,
    /// Ids of records that the stream holds already; they are passed over.
    pub held: HashSet<String>,
}

impl Lane {
    /// # Errors
    /// When its cursor cannot be read.
    pub fn open(log: &Arc<Log>) -> io::Result<Self> {
        let reader = log.reader(CONSUMER)?;
        let at = reader.position();
        let (log, reader) = (log.clone(), Some(reader));
        Ok(Self { log, reader, position: at, acknowledged: at, released: at, sent: at, held: HashSet::new() })
    }

    pub fn log(&self) -> &Arc<Log> {
        &self.log
    }

    pub fn released(&self) -> u64 {
        self.released
    }

    pub fn position(&self) -> u64 {
        self.position
    }

    /// Begins again behind what was written down.
    pub fn rewind(&mut self) {
        (self.position, self.acknowledged) = (self.released, self.released);
        if let Some(reader) = &mut self.reader {
            reader.seek(self.released);
        }
    }

    pub fn is_at_end(&self) -> bool {
        self.reader.as_ref().is_some_and(Reader::is_at_end)
    }

    /// Everything is read, done with, and written down.
    pub fn is_done(&self) -> bool {
        self.is_at_end() && self.released == self.position
    }

    /// Waits until there is something to read. Cancel safe.
    pub async fn ready(&mut self) {
        match &mut self.reader {
            Some(reader) => reader.ready().await,
            None => std::future::pending().await,
        }
    }

    /// More may be read.
    pub fn has_room(&self) -> bool {
        self.position - self.released < UNRELEASED
    }

    /// A record up to there is sent. Answers whether it was before.
    pub fn sends(&mut self, end: u64) -> bool {
        let again = end <= self.sent;
        self.sent = self.sent.max(end);
        again
    }

    pub fn acknowledged(&mut self, end: u64) {
        self.acknowledged = end;
    }

    /// Whatever was read is done with.
    pub fn settle(&mut self) {
        self.acknowledged = self.position;
    }

    /// So many bytes are done with and not written down.
    pub fn owes(&self) -> u64 {
        self.acknowledged - self.released
    }

    /// Writes down what is done with, then reads on; nothing at the end of the log. To be awaited to its end.
    ///
    /// # Errors
    /// When the log cannot be read, or the cursor not be written.
    pub async fn read(&mut self) -> io::Result<Vec<Record>> {
        self.aside(|reader| reader.read(READ)).await
    }

    /// Writes down what is done with. To be awaited to its end.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn release(&mut self) -> io::Result<()> {
        self.aside(|_| Ok(())).await
    }

    async fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut Reader) -> io::Result<T> + Send + 'static,
    ) -> io::Result<T> {
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => self.log.reader(CONSUMER)?, // the one before was lost in a panic
        };
        let owed = Some(self.acknowledged).filter(|_| self.owes() > 0);
        let done = tokio::task::spawn_blocking(move || {
            let released = owed.map_or(Ok(()), |position| reader.release(position));
            let is_released = released.is_ok();
            let worked = released.and_then(|()| work(&mut reader));
            (reader, is_released, worked)
        });
        let (reader, is_released, worked) = done.await.map_err(io::Error::other)?;
        self.position = reader.position();
        self.reader = Some(reader);
        if let Some(position) = owed.filter(|_| is_released) {
            self.released = position;
        }
        worked
    }
}
