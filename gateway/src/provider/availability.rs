//! What share of the requests a provider answered, over several stretches of time.

use std::time::Duration;

use super::window::Window;

const MINUTE: Duration = Duration::from_secs(60);

/// Atomics only; times are ages of the provider.
#[derive(Debug)]
pub struct Availability {
    /// Slots of five seconds.
    minutes: Window<60>,
    /// Slots of one minute.
    hour: Window<60>,
}

/// Requests that ended in a stretch of time. Counts of millions a slot are scaled down, in proportion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    pub failed: u32,
    pub all: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tallies {
    pub minute: Tally,
    pub five_minutes: Tally,
    pub hour: Tally,
}

impl Default for Availability {
    fn default() -> Self {
        Self { minutes: Window::new(5 * MINUTE), hour: Window::new(60 * MINUTE) }
    }
}

impl Availability {
    pub fn succeeded(&self, now: Duration) {
        self.minutes.succeeded(now);
        self.hour.succeeded(now);
    }

    pub fn failed(&self, now: Duration) {
        self.minutes.failed(now);
        self.hour.failed(now);
    }

    pub fn tallies(&self, now: Duration) -> Tallies {
        Tallies {
            minute: self.minutes.tally_of(now, 12).into(),
            five_minutes: self.minutes.tally(now).into(),
            hour: self.hour.tally(now).into(),
        }
    }

    /// Share of the last minute's requests that succeeded; `None` without any.
    pub fn success_rate(&self, now: Duration) -> Option<f64> {
        Tally::from(self.minutes.tally_of(now, 12)).success_rate()
    }
}

impl Tally {
    /// `None` without requests.
    pub fn success_rate(self) -> Option<f64> {
        (self.all > 0).then(|| 1.0 - f64::from(self.failed) / f64::from(self.all))
    }
}

impl From<(u32, u32)> for Tally {
    fn from((failed, all): (u32, u32)) -> Self {
        Self { failed, all }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stretch_forgets_at_its_time() {
        let availability = Availability::default();
        let at = Duration::from_secs;
        assert_eq!(availability.success_rate(at(0)), None);
        availability.failed(at(1));
        (0..3).for_each(|_| availability.succeeded(at(2)));
        let all = |seconds| {
            let tallies = availability.tallies(at(seconds));
            [tallies.minute, tallies.five_minutes, tallies.hour].map(|tally| tally.all)
        };
        assert_eq!(availability.success_rate(at(30)), Some(0.75));
        assert_eq!((all(59), all(60), all(299)), ([4, 4, 4], [0, 4, 4], [0, 4, 4]));
        assert_eq!((all(300), all(3599), all(3600)), ([0, 0, 4], [0, 0, 4], [0, 0, 0]));
    }
}
