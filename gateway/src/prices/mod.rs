//! What tokens cost: a bundled table of prices, the operator's own, and the sum for one answer.
//!
//! [`Catalogue`] finds the [`Price`] of a provider's model, `table` is the bundled text, `names` the spellings under which
//! a model may stand in it, and [`Price::cost`] adds up. What is not known stays absent: no price is ever taken to be zero.

mod catalogue;
mod cost;
mod names;
mod price;
mod table;
#[cfg(test)]
mod tests;

pub use catalogue::Catalogue;
pub use price::{Price, Source, What};
pub use table::{entries, version};
