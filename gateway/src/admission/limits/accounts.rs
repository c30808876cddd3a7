//! All accounts, so that a reload finds those that it keeps, and spending is written down.

use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, OnceLock, PoisonError, Weak},
    time::Instant,
};

use tokio::sync::Notify;

use super::{Account, Scope, Terms};
use crate::admission::budgets::{Entry, Spend, SpendBook};

/// By scope and name; those that nobody asks for any more are forgotten.
#[derive(Default)]
struct Known {
    accounts: HashMap<(Scope, Box<str>), Kept>,
    /// At which size it is looked for those: twice what was left the last time, so that many new ones cost no more than each.
    full: usize,
}

pub struct Accounts {
    /// What the times of all buckets are counted from.
    born: Instant,
    known: Mutex<Known>,
    book: OnceLock<Book>,
    spent: Arc<Notify>,
}

/// One that has had a budget is kept: what it has spent counts when it gets one again.
struct Kept {
    account: Weak<Account>,
    spender: Option<Arc<Account>>,
}

/// Where spending outlives the process.
struct Book {
    keeper: Box<dyn SpendBook>,
    /// What it held when it was opened.
    known: HashMap<String, Spend>,
}

impl Default for Accounts {
    fn default() -> Self {
        Self { born: Instant::now(), known: Mutex::default(), book: OnceLock::new(), spent: Arc::default() }
    }
}

impl Accounts {
    pub fn born(&self) -> Instant {
        self.born
    }

    /// Others, for an organisation of its own, counted from the same moment.
    pub fn apart(&self) -> Self {
        Self { born: self.born, ..Self::default() }
    }

    /// The account of that name with these terms from now on; what it has used stays used. `None` where nothing limits it.
    pub fn of(&self, scope: Scope, name: &str, terms: Terms) -> Option<Arc<Account>> {
        let now = self.born.elapsed();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.accounts.len() >= known.full {
            known.accounts.retain(|_, kept| kept.account.strong_count() > 0);
            known.full = 2 * known.accounts.len();
        }
        let before = self.book.get().and_then(|book| book.known.get(&who(scope, name)));
        let spend = before.copied().unwrap_or_default();
        let key: (Scope, Box<str>) = (scope, name.into());
        if let Some(kept) = known.accounts.get_mut(&key)
            && let Some(account) = kept.account.upgrade()
        {
            account.change(terms, spend, now);
            if terms.budget.is_some() {
                kept.spender = Some(account.clone());
            }
            return (terms != Terms::default()).then_some(account);
        }
        if terms == Terms::default() {
            return None;
        }
        let account = Arc::new(Account::new((scope, name), terms, spend, now, self.spent.clone()));
        let spender = terms.budget.is_some().then(|| account.clone());
        known.accounts.insert(key, Kept { account: Arc::downgrade(&account), spender });
        Some(account)
    }

    /// From now on spending is written down there, and what is written there counts for the accounts that come.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn keep(&self, book: Box<dyn SpendBook>) -> io::Result<()> {
        let known = book.load()?.into_iter().map(|entry| (entry.who, entry.spend)).collect();
        let _ = self.book.set(Book { keeper: book, known });
        Ok(())
    }

    pub fn has_book(&self) -> bool {
        self.book.get().is_some()
    }

    /// Waits until money has been spent.
    pub async fn spent(&self) {
        self.spent.notified().await;
    }

    /// Everybody who has, or has had, a budget.
    pub fn spenders(&self) -> Vec<Arc<Account>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.accounts.values().filter_map(|kept| kept.spender.clone()).collect()
    }

    /// Writes down what has been spent since the last time, and learns what others have. It waits for a disk.
    ///
    /// # Errors
    /// When it cannot be written; it is tried again the next time.
    pub fn record(&self) -> io::Result<()> {
        let Some(book) = self.book.get() else { return Ok(()) };
        let (mut accounts, mut added) = (Vec::new(), Vec::new());
        for account in self.spenders() {
            let spend = account.limits().purse.as_mut().map(|purse| purse.unrecorded()).unwrap_or_default();
            if !spend.is_nothing() {
                added.push(Entry { who: who(account.scope, &account.name), spend });
                accounts.push(account);
            }
        }
        if added.is_empty() {
            return Ok(());
        }
        let recorded = book.keeper.record(&added);
        for (at, account) in accounts.iter().enumerate() {
            let mut limits = account.limits();
            let Some(purse) = &mut limits.purse else { continue };
            match &recorded {
                Ok(totals) => purse.recorded(totals[at]),
                Err(_) => purse.keep_unrecorded(added[at].spend),
            }
        }
        recorded.map(drop)
    }
}

fn who(scope: Scope, name: &str) -> String {
    format!("{} {name}", scope.name())
}
