//! What becomes of usage events once they are in the spool: they are published, or stay, and are added up ([`analytics`]).
//!
//! [`Publishing`] is what the rest of the process knows of it, [`UsagePublisher`] the actor that keeps it going, `delivery` the
//! task that carries records from the logs of the spool (`lane`), as JSON (`published`), to JetStream, so many at a time (`window`), each under its
//! own subject (`subject`); `doubt` settles what may have been stored before it was acknowledged.
//! What other processes leave in the spool, [`inherit`] takes over. [`schema`] is what consumers are promised.

pub mod analytics;
mod delivery;
mod doubt;
mod heir;
mod lane;
mod published;
mod publisher;
pub mod schema;
mod standing;
mod subject;
mod window;

pub use delivery::Settings;
pub use heir::inherit;
pub use published::published;
pub use publisher::{PublisherMessage, Publishing, UsagePublisher};
pub use standing::Standing;
pub use subject::{SUBJECTS, Subject, USAGE};
