//! Which provider serves a request: the actors that own that decision, and the loop that follows it.
//!
//! [`Root`] owns the roster of providers and supervises everything, [`Dispatcher`] owns the [`RouteTable`] and publishes
//! it, [`relay`] is what a request does with it.

pub mod backoff;
pub mod budget;
mod dispatcher;
mod relay;
mod root;
pub mod strategy;
mod table;
#[cfg(test)]
mod tests;

pub use dispatcher::{Dispatcher, DispatcherMessage, Published};
pub use relay::{Access, Relayed, relay};
pub use root::{Root, RootMessage, Wiring};
pub use table::{Candidate, Candidates, ModelEntry, RouteTable};
