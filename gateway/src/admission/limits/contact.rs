//! Whether the gateways that count together are in reach.

use crate::telemetry::Gauges;

/// What other gateways answer for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contact {
    pub budgets: bool,
    pub rates: bool,
}

impl Contact {
    /// What is not as it should be, for people.
    pub fn worries(self) -> Vec<String> {
        let budgets = "budgets: the other gateways are out of reach, this one counts alone";
        let rates = "rate limits: the other gateways are out of reach, this one counts alone";
        let missing = [(self.budgets, budgets), (self.rates, rates)].into_iter().filter(|(is_there, _)| !is_there);
        missing.map(|(_, worry)| worry.to_owned()).collect()
    }

    /// Shows what a scrape wants to know.
    pub fn show(self, gauges: &Gauges) {
        let help = "Whether the gateways that have budgets together are in reach.";
        gauges.show_level("prism_budgets_shared", help, self.budgets.into());
        let help = "Whether the gateways that have rate limits together are in reach.";
        gauges.show_level("prism_rate_limits_shared", help, self.rates.into());
    }
}
