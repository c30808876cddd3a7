//! What does not reach a provider as the client sent it, each field once.

use std::borrow::Cow;

use crate::wire::{Fate, Loss};

/// Collected while a request is translated.
#[derive(Debug, Default)]
pub struct Losses(Vec<Loss>);

impl Losses {
    pub fn dropped(&mut self, field: impl Into<Cow<'static, str>>) {
        self.add(field.into(), Fate::Dropped);
    }

    pub fn approximated(&mut self, field: impl Into<Cow<'static, str>>) {
        self.add(field.into(), Fate::Approximated);
    }

    /// Reports a field as dropped when it is there.
    pub fn drop_if(&mut self, field: &'static str, present: bool) {
        if present {
            self.dropped(field);
        }
    }

    pub fn into_vec(self) -> Vec<Loss> {
        self.0
    }

    fn add(&mut self, field: Cow<'static, str>, fate: Fate) {
        if !self.0.iter().any(|loss| loss.field == field) {
            self.0.push(Loss { field, fate });
        }
    }
}
