//! The events that were counted last, by this process and by others: they are recognised when they come again.

use std::{
    collections::{HashSet, VecDeque},
    mem,
};

use rusqlite::{Transaction, params};

/// Events that are recognised.
pub(super) const RECENT: usize = 1 << 15;

/// What of the table of that name is in memory.
#[derive(Default)]
pub(super) struct Recent {
    /// All ids of `batches`; `None` until somebody asks for one. Gateways choose them: nobody chooses where they fall.
    known: Option<HashSet<u64, foldhash::fast::FixedState>>,
    batches: VecDeque<(i64, Vec<u64>)>,
    /// The last one read or written.
    newest: i64,
    /// A batch has begun and not been committed: what is known may have been rolled back with it.
    is_unsure: bool,
}

impl Recent {
    /// A batch begins: reads what others have counted since, or all of it again.
    pub fn begin(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        if mem::replace(&mut self.is_unsure, true) {
            *self = Self { is_unsure: true, ..Self::default() };
        }
        let mut statement =
            transaction.prepare_cached("SELECT batch, ids FROM recent WHERE batch > ? ORDER BY batch")?;
        let mut rows = statement.query([self.newest])?;
        while let Some(row) = rows.next()? {
            let (ids, _) = row.get_ref(1)?.as_blob()?.as_chunks::<8>();
            let ids: Vec<_> = ids.iter().map(|id| u64::from_le_bytes(*id)).collect();
            if let Some(known) = &mut self.known {
                known.extend(&ids);
            }
            self.keep(row.get(0)?, ids);
        }
        Ok(())
    }

    /// Whether it has not been counted lately; from now on it has.
    pub fn is_new(&mut self, id: u64) -> bool {
        let Self { known, batches, .. } = self;
        known.get_or_insert_with(|| batches.iter().flat_map(|(_, ids)| ids).copied().collect()).insert(id)
    }

    /// A batch has ids that nobody has asked for: what is known is made anew when somebody asks again.
    pub fn leave_out(&mut self) {
        self.known = None;
    }

    /// Writes down the ids of a batch, and forgets the oldest for them; `millis` is when its last event was written, since 1970.
    pub fn write(&mut self, transaction: &Transaction<'_>, ids: Vec<u64>, millis: i64) -> rusqlite::Result<()> {
        let bytes: Vec<u8> = ids.iter().flat_map(|id| id.to_le_bytes()).collect();
        transaction.execute("INSERT INTO recent (millis, ids) VALUES (?, ?)", params![millis, bytes])?;
        self.keep(transaction.last_insert_rowid(), ids);
        self.forget(transaction)
    }

    /// So is the transaction: what is known stays so.
    pub fn committed(&mut self) {
        self.is_unsure = false;
    }

    /// These are known, and will be forgotten together.
    fn keep(&mut self, batch: i64, ids: Vec<u64>) {
        self.batches.push_back((batch, ids));
        self.newest = batch;
    }

    fn forget(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let mut many: usize = self.batches.iter().map(|(_, ids)| ids.len()).sum();
        let mut gone = None;
        while let Some((batch, ids)) = self.batches.front()
            && many - ids.len() >= RECENT
        {
            many -= ids.len();
            if let Some(known) = &mut self.known {
                ids.iter().for_each(|id| _ = known.remove(id));
            }
            gone = Some(*batch);
            self.batches.pop_front();
        }
        match gone {
            Some(batch) => transaction.execute("DELETE FROM recent WHERE batch <= ?", [batch]).map(drop),
            None => Ok(()),
        }
    }
}
