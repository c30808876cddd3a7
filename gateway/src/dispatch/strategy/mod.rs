//! In which order the candidates for a request are tried.
//!
//! Pure: what is known of the candidates comes in as [`View`]s, chance as a generator, turns as a counter's value.

#[cfg(test)]
mod tests;

use std::time::Duration;

use fastrand::Rng;
use smallvec::SmallVec;

use crate::{config::Strategy, provider::Readiness};

/// Every candidate's share under `adaptive`, so that one that has recovered is noticed; less when there are many.
const FLOOR: f64 = 0.05;
/// A candidate of unknown latency counts as this much of the others' median: it is tried, and its requests in progress
/// keep all from rushing to it.
const UNKNOWN: f64 = 0.9;

/// Indices of the views.
pub type Order = SmallVec<[usize; 4]>;

/// A candidate as the choice sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Who it is, the same whatever else changes. The regions of one provider share it.
    pub group: u64,
    /// Within its group: lower goes first, the others are right behind it.
    pub rank: u32,
    /// Source and priority: lower goes first.
    pub tier: u32,
    /// 0 goes behind all others of its tier.
    pub weight: u32,
    pub in_flight: usize,
    pub max_concurrent: usize,
    /// Peak-EWMA of its latency.
    pub latency: Option<Duration>,
    /// Lately, between 0 and 1.
    pub success_rate: Option<f64>,
    /// In any unit that all share.
    pub price: Option<f64>,
    pub readiness: Readiness,
}

/// How a request chooses.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub strategy: Strategy,
    /// Counts the model's requests.
    pub ticket: u64,
    /// Binds equal values to one candidate while it is ready.
    pub sticky: Option<u64>,
}

impl Choice {
    /// All of them, in the order in which they are to be tried: by readiness, then tier, then strategy.
    pub fn order(&self, views: &[View], chance: &mut Rng) -> Order {
        let mut all: Order = (0..views.len()).collect();
        if all.len() < 2 {
            return all;
        }
        let class = |&at: &usize| {
            let view: &View = &views[at];
            (view.readiness(), view.tier, view.weight == 0)
        };
        all.sort_by_key(|at| (class(at), views[*at].rank));
        let mut order = Order::with_capacity(all.len());
        for (number, class) in all.chunk_by(|one, other| class(one) == class(other)).enumerate() {
            let is_head = |at: usize| class[..at].iter().all(|&before| views[before].group != views[class[at]].group);
            let mut heads: Order = (0..class.len()).filter(|&at| is_head(at)).map(|at| class[at]).collect();
            let usable = views[class[0]].readiness() == Readiness::Ready;
            match self.sticky {
                Some(key) if number == 0 && usable => bind(&mut heads, views, key),
                _ => self.arrange(&mut heads, views, chance),
            }
            for head in heads {
                order.extend(class.iter().copied().filter(|&at| views[at].group == views[head].group));
            }
        }
        order
    }

    fn arrange(&self, heads: &mut Order, views: &[View], chance: &mut Rng) {
        match self.strategy {
            Strategy::RoundRobin => rotate(heads, self.ticket),
            Strategy::Weighted => draw(heads, |at| f64::from(views[at].weight), chance),
            Strategy::LeastLatency | Strategy::Fastest => {
                let load = loads(heads, views);
                two_choices(heads, |at| load(at) * (views[at].in_flight + 1) as f64, chance);
            }
            Strategy::LeastBusy => {
                let weight = |at: usize| f64::from(views[at].weight.max(1));
                sort(heads, |at| views[at].in_flight as f64 / weight(at), chance);
            }
            Strategy::CostOptimized => sort(heads, |at| views[at].price.unwrap_or(f64::INFINITY), chance),
            Strategy::Adaptive => adapt(heads, views, chance),
        }
    }
}

impl View {
    /// A full candidate can take nothing at the moment.
    fn readiness(&self) -> Readiness {
        let full = self.in_flight >= self.max_concurrent;
        if full { self.readiness.max(Readiness::Out) } else { self.readiness }
    }
}

/// The ticket chooses the first among all, what is left of it the second among the others, and so on: evenly, whoever is
/// missing, and what one candidate fails at is spread over the others instead of falling to its neighbour.
fn rotate(heads: &mut Order, mut ticket: u64) {
    heads.sort_unstable();
    for at in 0..heads.len() {
        let left = (heads.len() - at) as u64;
        heads[at..].rotate_left((ticket % left) as usize);
        heads[at + 1..].sort_unstable();
        ticket /= left;
    }
}

/// By weight, without replacement: the key of Efraimidis and Spirakis (2006), u^(1/w), in its logarithm.
fn draw(heads: &mut Order, weight: impl Fn(usize) -> f64, chance: &mut Rng) {
    sort_by(heads, |at| {
        let weight = weight(at);
        // without weights it is a fair draw
        -(1.0 - chance.f64()).ln() / if weight > 0.0 { weight } else { 1.0 }
    });
}

/// Of two candidates drawn by chance the better one: nearly as good as the best of all, and many who choose at once from
/// the same figures do not all choose the same (Mitzenmacher, 1996).
fn two_choices(heads: &mut Order, load: impl Fn(usize) -> f64, chance: &mut Rng) {
    for at in 0..heads.len().saturating_sub(1) {
        let one = chance.usize(at..heads.len());
        let mut other = chance.usize(at..heads.len() - 1);
        other += usize::from(other >= one);
        let better = if load(heads[other]) < load(heads[one]) { other } else { one };
        heads.swap(at, better);
    }
}

/// Ascending; equals by chance.
fn sort(heads: &mut Order, key: impl Fn(usize) -> f64, chance: &mut Rng) {
    chance.shuffle(heads);
    sort_by(heads, key);
}

fn sort_by(heads: &mut Order, mut key: impl FnMut(usize) -> f64) {
    let mut keyed: SmallVec<[(f64, usize); 4]> = heads.iter().map(|&at| (key(at), at)).collect();
    keyed.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    heads.iter_mut().zip(keyed).for_each(|(head, (_, at))| *head = at);
}

/// Latency in seconds, with a guess where it is unknown.
fn loads<'a>(heads: &Order, views: &'a [View]) -> impl Fn(usize) -> f64 + use<'a> {
    let mut known: SmallVec<[Duration; 4]> = heads.iter().filter_map(|&at| views[at].latency).collect();
    known.sort_unstable();
    let median = known.get(known.len().saturating_sub(1) / 2).copied().unwrap_or(Duration::from_secs(1));
    move |at| views[at].latency.map_or(median.as_secs_f64() * UNKNOWN, |latency| latency.as_secs_f64()).max(1e-6)
}

/// In proportion to what each has shown lately, with a floor for all.
fn adapt(heads: &mut Order, views: &[View], chance: &mut Rng) {
    let load = loads(heads, views);
    let merit = |at: usize| {
        let rate = views[at].success_rate.unwrap_or(1.0).clamp(0.0, 1.0);
        // failures cost more than their share: each is an attempt in vain
        f64::from(views[at].weight.max(1)) * rate * rate / load(at)
    };
    let all: f64 = heads.iter().map(|&at| merit(at)).sum();
    let floor = FLOOR.min(1.0 / heads.len() as f64);
    let rest = 1.0 - floor * heads.len() as f64;
    let share = |at| floor + if all > 0.0 { rest * merit(at) / all } else { 0.0 };
    draw(heads, share, chance);
}

/// Weighted rendezvous: each candidate draws a number from the key and its own name, and the highest wins. When one goes,
/// only what was bound to it moves.
fn bind(heads: &mut Order, views: &[View], key: u64) {
    sort_by(heads, |at| {
        let view = &views[at];
        let unit = ((mix(key ^ mix(view.group)) >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        -unit.ln() / f64::from(view.weight.max(1))
    });
}

/// SplitMix64's last step: every bit of the result depends on every bit.
fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
