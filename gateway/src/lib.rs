//! Prism: one OpenAI-compatible door in front of every LLM provider.
//!
//! Start with `gateway/ARCHITECTURE.md`; then read the floors from the top: [`app`] wires everything, [`http`] is the
//! door, [`dispatch`] chooses, [`provider`] calls, [`wire`] speaks the providers' formats.

pub mod admission;
pub mod api;
pub mod app;
pub mod body;
pub mod cli;
mod code;
pub mod config;
pub mod control;
pub mod dispatch;
pub mod formats;
pub mod http;
pub mod ids;
pub mod memory;
pub mod money;
pub mod nats;
mod office;
pub mod options;
mod price_list;
pub mod prices;
pub mod provider;
pub mod refusal;
pub mod replay;
mod reports;
pub mod secret;
pub mod spool;
pub mod store;
pub mod telemetry;
pub mod traces;
pub mod translate;
pub mod transport;
pub mod usage;
mod watcher;
pub mod wire;
