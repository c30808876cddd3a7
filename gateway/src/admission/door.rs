//! The first bound: requests in progress at once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use smallvec::SmallVec;

/// Lets in at most so many at a time.
#[derive(Debug)]
pub struct Door {
    inside: AtomicUsize,
    most: AtomicUsize,
}

/// Places at the gateway's door and at that of a key.
pub type Entries = SmallVec<[Entry; 2]>;

/// A place inside; its drop frees it.
#[derive(Debug)]
pub struct Entry(Arc<Door>);

impl Door {
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { inside: AtomicUsize::new(0), most: AtomicUsize::new(most) })
    }

    /// A reload may move the bound; those inside stay.
    pub fn resize(&self, most: usize) {
        self.most.store(most, Relaxed);
    }

    pub fn enter(self: &Arc<Self>) -> Option<Entry> {
        let before = self.inside.fetch_add(1, Relaxed);
        let entry = Entry(self.clone());
        (before < self.most.load(Relaxed)).then_some(entry)
    }

    pub fn most(&self) -> usize {
        self.most.load(Relaxed)
    }

    pub fn inside(&self) -> usize {
        self.inside.load(Relaxed)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_door_holds_its_bound_and_forgets_nobody() {
        let door = Door::new(2);
        let (first, second) = (door.enter(), door.enter());
        assert!(first.is_some() && second.is_some());
        assert!(door.enter().is_none());
        drop(first);
        assert!(door.enter().is_some());
        drop(second);
        assert_eq!(door.inside(), 0);
    }
}
