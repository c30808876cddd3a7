//! Which provider serves a request: the actors that own that decision, and the loop that follows it.
//!
//! [`Root`] owns the roster of providers and supervises everything, [`Dispatcher`] owns the [`RouteTable`] and publishes
//! it, [`relay`] is what a request does with it. Organisations have a root, a dispatcher and a table each, while they are in
//! use: [`Tenants`] wakes them and lets them go.

mod backoff;
mod budget;
mod budgets;
mod dispatcher;
mod explain;
mod hedge;
mod mirror;
mod order;
mod relay;
mod root;
mod route;
mod shared;
mod strategy;
mod table;
mod tenants;
#[cfg(test)]
mod tests;

pub use budgets::Budgets;
pub use dispatcher::{Address, Dispatcher, DispatcherMessage, Published, Roster};
pub use explain::{explain, hedge_after};
pub use mirror::Mirrors;
pub use relay::{Access, Relayed, relay};
pub use root::{Root, RootMessage, Wiring};
pub use route::{Candidate, Route};
pub use shared::Shared;
pub use table::{ModelEntry, RouteTable};
pub use tenants::{Configurations, Configuring, Tenant, Tenants, TenantsArguments};
