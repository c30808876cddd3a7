//! How soon a proxy answers after exec, and what it holds when it has nothing to do.

use std::time::{Duration, Instant};

use crate::clock::rss_kib;
use crate::http::get;
use crate::pressure::Sample;
use crate::target::{Target, Targets};
use crate::trouble::{Result, Trouble};

const POLL: Duration = Duration::from_micros(500);
const LIMIT: Duration = Duration::from_secs(20);

pub fn sample(targets: &Targets, target: Target) -> Result<Sample> {
    let begun = Instant::now();
    let mut process = targets.launch(target)?;
    while get(process.port, target.health()) != Some(200) {
        process.check()?;
        if begun.elapsed() > LIMIT {
            return Err(Trouble::NotReady {
                name: target.name().into(),
                seconds: LIMIT.as_secs(),
                output: process.output(),
            });
        }
        std::thread::sleep(POLL);
    }
    let start_ms = begun.elapsed().as_secs_f64() * 1e3;
    std::thread::sleep(Duration::from_secs(1));
    Ok(Sample { start_ms, ..Sample::idle(rss_kib(process.id())?) })
}
