//! Accounts that have budgets: what they have spent is written down, and told to other gateways.

use std::{
    io,
    pin::pin,
    sync::{Arc, PoisonError},
};

use tokio::sync::futures::Notified;

use super::{Account, Accounts, Scope};
use crate::admission::budgets::{Entry, Spend, SpendBook};

impl Accounts {
    /// From now on spending is written down there, and what is written there counts for the accounts that come.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn keep(&self, book: Box<dyn SpendBook>) -> io::Result<()> {
        let entries = book.load()?;
        self.known().spending.extend(entries.into_iter().map(|entry| (entry.who, entry.spend)));
        let _ = self.book.set(book);
        Ok(())
    }

    pub fn has_book(&self) -> bool {
        self.book.get().is_some()
    }

    /// Waits until money has been spent, or may be told of.
    pub async fn spent(&self) {
        self.spent.notified().await;
    }

    /// Everybody who has, or has had, a budget.
    pub fn spenders(&self) -> Vec<Arc<Account>> {
        self.known().accounts.values().filter_map(|kept| kept.spender.clone()).collect()
    }

    /// Who is filed so, if he has, or has had, a budget.
    pub fn spender(&self, who: &str) -> Option<Arc<Account>> {
        let (scope, name) = who.split_once(' ')?;
        self.known().accounts.get(&(Scope::named(scope)?, name.into()))?.spender.clone()
    }

    /// From now on other gateways spend of the same budgets, and answer: nothing is paid that is not leased.
    pub fn join(&self) {
        let mut known = self.known();
        if std::mem::replace(&mut known.is_joined, true) {
            return;
        }
        known.accounts.values().filter_map(|kept| kept.spender.as_ref()).for_each(|account| account.share(true));
        drop(known);
        self.spent.notify_one(); // what they have not been told
        self.exchanged();
    }

    /// Waits until other gateways answer.
    pub async fn joined(&self) {
        loop {
            let mut answer = pin!(self.answer());
            answer.as_mut().enable();
            if self.known().is_joined {
                return;
            }
            answer.await;
        }
    }

    /// Nobody can be asked: each budget is counted here alone. Answers whether that is new.
    pub fn part(&self) -> bool {
        let mut known = self.known();
        let was_joined = std::mem::take(&mut known.is_joined);
        known.accounts.values().filter_map(|kept| kept.spender.as_ref()).for_each(|account| account.share(false));
        drop(known);
        self.exchanged();
        was_joined
    }

    /// Somebody has spent of a budget, so that it is so much in all.
    pub fn heard(&self, who: &str, total: Spend) {
        if let Some(account) = self.spender(who) {
            account.heard(total);
        }
        self.known().spending.insert(who.to_owned(), total);
    }

    /// Nothing is kept of somebody who is gone, whatever was heard of him.
    pub fn forgotten(&self, who: &str) {
        self.known().spending.remove(who);
    }

    /// Waits until a lease is too small.
    pub async fn wanting(&self) {
        self.wanted.notified().await;
    }

    /// Whose leases have been too small since this was asked the last time.
    pub fn who_want(&self) -> Vec<Arc<Account>> {
        std::mem::take(&mut self.known().want)
    }

    /// Some leases are too small.
    pub(super) fn want<'a>(&self, accounts: impl Iterator<Item = &'a Arc<Account>>) {
        self.known().want.extend(accounts.filter(|account| account.asks(false)).cloned());
        self.wanted.notify_one();
    }

    /// Ends when the other gateways have answered the next time.
    pub(super) fn answer(&self) -> Notified<'_> {
        self.exchanged.notified()
    }

    /// The other gateways have answered.
    pub fn exchanged(&self) {
        self.exchanged.notify_waiters();
    }

    /// See [`Accounts::record`]; where it cannot be written, the log says so.
    pub fn write_down(&self) {
        if let Err(error) = self.record() {
            tracing::error!(%error, "spending cannot be written down; it is tried again with the next");
        }
    }

    /// Writes down what has been spent since the last time, and learns what others have. It waits for a disk.
    ///
    /// # Errors
    /// When it cannot be written; it is tried again the next time.
    pub fn record(&self) -> io::Result<()> {
        let Some(book) = self.book.get() else { return Ok(()) };
        // one after the other: what is being written down has one place
        let _turn = self.recording.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut accounts, mut added) = (Vec::new(), Vec::new());
        for account in self.spenders() {
            let spend = account.limits().purse.as_mut().map(|purse| purse.unrecorded()).unwrap_or_default();
            if !spend.is_nothing() {
                added.push(Entry { who: account.who(), spend });
                accounts.push(account);
            }
        }
        let gone = std::mem::take(&mut self.known().gone);
        let recorded = book.record(&added, &gone);
        if recorded.is_err() {
            self.known().gone.extend(gone);
        }
        for (at, account) in accounts.iter().enumerate() {
            let mut limits = account.limits();
            let Some(purse) = &mut limits.purse else { continue };
            match &recorded {
                Ok(totals) => purse.recorded(totals[at]),
                Err(_) => purse.keep_unrecorded(),
            }
        }
        recorded.map(drop)
    }
}
