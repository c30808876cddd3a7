//! How long things took: counts in buckets whose bounds grow by a constant factor, so that any two can be added and a quantile
//! is off by a bounded share of itself.

/// A quantile is at most this share away from the duration that has its rank.
pub const RELATIVE_ERROR: f64 = 0.02;
/// Leaves room for the rounding of what is shown.
const ACCURACY: f64 = 0.0195;
/// The bounds of one bucket.
const GROWTH: f64 = (1.0 + ACCURACY) / (1.0 - ACCURACY);
/// Below it every whole number has a bucket of its own, so that rounding gives it back.
const EXACT: f64 = 25.0;

/// Counts of durations in milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// (bucket, count), by bucket; none is 0.
    buckets: Vec<(u16, u64)>,
}

impl Histogram {
    pub fn add(&mut self, millis: u64) {
        self.add_to(bucket(millis), 1);
    }

    pub fn merge(&mut self, other: &Self) {
        for &(bucket, count) in &other.buckets {
            self.add_to(bucket, count);
        }
    }

    fn add_to(&mut self, bucket: u16, count: u64) {
        match self.buckets.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(at) => self.buckets[at].1 += count,
            Err(at) => self.buckets.insert(at, (bucket, count)),
        }
    }

    /// The duration that this share of all does not exceed, in milliseconds; `None` when nothing was counted.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let all: u64 = self.buckets.iter().map(|(_, count)| count).sum();
        let rank = ((share * all as f64).ceil() as u64).max(1);
        let mut passed = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            passed += count;
            passed >= rank
        });
        found.map(|(bucket, _)| shown(*bucket))
    }

    /// Bucket numbers as differences, and counts, each in as few bytes as it needs.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.buckets.len() * 3);
        let mut last = 0;
        for &(bucket, count) in &self.buckets {
            push(&mut bytes, u64::from(bucket - last));
            push(&mut bytes, count);
            last = bucket;
        }
        bytes
    }

    /// Adds what [`Histogram::encode`] has written; what is no such thing adds nothing more.
    pub fn merge_encoded(&mut self, mut bytes: &[u8]) {
        let mut bucket = 0;
        while let (Some(difference), Some(count)) = (pull(&mut bytes), pull(&mut bytes)) {
            let Some(next) = u16::try_from(difference).ok().and_then(|difference| difference.checked_add(bucket))
            else {
                return;
            };
            bucket = next;
            self.add_to(bucket, count);
        }
    }
}

/// 0 is for nothing at all, `n` for up to `GROWTH^(n - 1)`.
fn bucket(millis: u64) -> u16 {
    if millis == 0 {
        return 0;
    }
    // the last number of a long duration is far below the bounds of `u16`
    1 + ((millis as f64).ln() / GROWTH.ln()).ceil() as u16
}

/// The middle of a bucket, in the sense that both its bounds are equally far away as shares of themselves.
fn shown(bucket: u16) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let middle = GROWTH.powi(i32::from(bucket) - 1) * 2.0 / (1.0 + GROWTH);
    if middle < EXACT {
        return middle.round();
    }
    // four digits
    let unit = 10_f64.powi(middle.log10() as i32 - 3);
    let rounded = (middle / unit).round() * unit;
    (rounded * 10.0).round() / 10.0
}

/// LEB128.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&first, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u64::from(first & 0x7f) << shift;
        if first & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(durations: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        durations.iter().for_each(|millis| histogram.add(*millis));
        histogram
    }

    #[test]
    fn nothing_has_no_quantile_and_small_numbers_are_exact() {
        assert_eq!(Histogram::default().quantile(0.5), None);
        for millis in 0..25 {
            assert_eq!(of(&[millis]).quantile(0.5), Some(millis as f64));
        }
    }

    #[test]
    fn damage_is_no_panic() {
        let mut histogram = of(&[3]);
        histogram.merge_encoded(&[0xff; 40]);
        histogram.merge_encoded(&[0x80]);
        assert_eq!(histogram.quantile(1.0), Some(3.0));
    }

    fn durations() -> impl Strategy<Value = Vec<u64>> {
        let one = prop_oneof![0_u64..50, 0_u64..100_000, 0_u64..100_000_000];
        prop::collection::vec(one, 1..200)
    }

    proptest! {
        #[test]
        fn a_quantile_is_off_by_two_percent_at_most(mut durations in durations(), share in 0.0..=1.0_f64) {
            let histogram = of(&durations);
            durations.sort_unstable();
            let rank = ((share * durations.len() as f64).ceil() as usize).max(1);
            let exact = durations[rank - 1] as f64;
            let told = histogram.quantile(share).unwrap();
            prop_assert!((told - exact).abs() <= exact * RELATIVE_ERROR, "{told} for {exact}");
        }

        #[test]
        fn parts_add_up_to_the_whole_through_their_bytes(a in durations(), b in durations()) {
            let mut sum = of(&a);
            sum.merge_encoded(&of(&b).encode());
            let mut merged = of(&a);
            merged.merge(&of(&b));
            let whole = of(&[a, b].concat());
            prop_assert_eq!(&sum, &whole);
            prop_assert_eq!(merged, whole);
        }
    }
}
