//! One provider: an actor that owns its connections, its permits and its health, and the calls that borrow them.
//!
//! [`ProviderCore`] is what outlives a crash of the actor and what requests read; [`Provider`] is the actor,
//! [`ProviderSupervisor`] restarts it; [`attempt`] is one upstream call and [`UpstreamStream`] what is left of it when
//! its answer is a stream.

mod actor;
mod address;
mod attempt;
pub mod availability;
pub mod breaker;
mod call;
mod core;
pub mod credential;
mod defect;
mod discovery;
mod errands;
mod follow;
mod health;
mod keys;
pub mod latency;
mod media;
mod model;
mod obstacles;
mod pace;
mod parts;
pub mod peak;
pub mod quota;
mod running;
mod stats;
mod stream;
mod supervisor;
#[cfg(test)]
mod tests;
mod window;

pub use actor::{Provider, ProviderMessage, health_from_outside};
pub use call::{Bounds, Reply, attempt};
pub use core::{Discovery, Lease, NoLease, ProviderCore, Readiness};
pub use discovery::read_models;
pub use model::ModelState;
pub use stream::UpstreamStream;
pub use supervisor::{ProviderSupervisor, Supervised};
