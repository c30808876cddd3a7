//! Which server is tried next.

use crate::config::NatsServer;

/// The servers that are tried, one after the other: those that are configured, then those that a cluster has named.
#[derive(Debug, Clone)]
pub struct Servers {
    known: Vec<NatsServer>,
    configured: usize,
    at: usize,
}

impl Servers {
    pub fn new(configured: &[NatsServer]) -> Self {
        Self {
            known: configured.to_vec(),
            configured: configured.len(),
            at: fastrand::usize(..configured.len().max(1)),
        }
    }

    pub fn present(&self) -> &NatsServer {
        &self.known[self.at]
    }

    pub fn next(&mut self) {
        self.at = (self.at + 1) % self.known.len();
    }

    /// What the cluster is made of now.
    pub fn learn(&mut self, others: impl Iterator<Item = NatsServer>) {
        let present = self.present().clone();
        self.known.truncate(self.configured);
        for server in others {
            if !self.known.contains(&server) {
                self.known.push(server);
            }
        }
        self.at = self.known.iter().position(|known| *known == present).unwrap_or_else(|| {
            self.known.push(present);
            self.known.len() - 1
        });
    }
}
