//! A run: each scenario in its rounds, each round over all targets in a rotated order, or over all of them at once.

use std::cell::OnceCell;
use std::path::PathBuf;
use std::time::Duration;

use tempfile::TempDir;

use crate::crowd::Crowd;
use crate::options::{Options, Pace};
use crate::pressure::{Sample, press, press_together};
use crate::process::Cores;
use crate::scenario::{SCENARIOS, Scenario, Work};
use crate::sheet::Sheet;
use crate::siblings::Siblings;
use crate::target::{Target, Targets};
use crate::trouble::{Result, Trouble};
use crate::{report, signal, start, table, translate};

/// What every scenario needs.
pub struct Bench {
    pub siblings: Siblings,
    /// None: only the floors are measured.
    pub gateway: Option<PathBuf>,
    /// An earlier one; without it the scenario that needs it is left out.
    pub before: Option<PathBuf>,
    /// Without it the scenario that needs it is left out.
    pub nats_server: Option<PathBuf>,
    /// Configurations and output of the gateway.
    pub workdir: TempDir,
    /// Made when somebody asks for it.
    pub crowd: OnceCell<Crowd>,
    pub cores: Cores,
    pub pace: Pace,
}

/// Analytics counts what has come within a second together; then it may have to wait for a disk.
const BEHIND: Duration = Duration::from_millis(1_700);

pub fn run(options: &Options) -> Result<()> {
    signal::listen()?;
    let chosen = choose(&options.only)?;
    let siblings = Siblings::find()?;
    let bench = Bench {
        gateway: if options.without_gateway { None } else { Some(siblings.gateway(options.gateway.clone())?) },
        before: options.before.clone().map(|path| siblings.gateway(Some(path))).transpose()?,
        nats_server: options.nats_server.clone(),
        crowd: OnceCell::new(),
        workdir: TempDir::new().map_err(Trouble::file("cannot make a temporary directory"))?,
        cores: Cores::allowed(),
        pace: options.pace(),
        siblings,
    };
    table::head(&bench);
    let (mut sheets, mut first) = (Vec::new(), None);
    let measurable = |scenario: &&Scenario| {
        let has = |target: Target| scenario.targets.contains(&target);
        (bench.before.is_some() || !has(Target::GatewayBefore))
            && (bench.nats_server.is_some() || !has(Target::GatewayPublishing))
    };
    for scenario in chosen.into_iter().filter(measurable) {
        match bench.measure(scenario) {
            Ok(sheet) => {
                table::show(&sheet);
                sheets.push(sheet);
            }
            // The signal reaches the children too: what failed may be only that.
            Err(_) if signal::check().is_err() => return Err(Trouble::Stopped),
            // The others may still be worth their time; the run fails at its end.
            Err(trouble) => {
                println!("{:<8} not measured: {trouble}", scenario.name);
                first.get_or_insert(trouble);
            }
        }
    }
    if let Some(file) = &options.json {
        let json = report::json(&bench, &sheets);
        std::fs::write(file, json).map_err(Trouble::file(format!("cannot write `{}`", file.display())))?;
    }
    table::foot(&sheets);
    first.map_or(Ok(()), Err)
}

fn choose(only: &[String]) -> Result<Vec<&'static Scenario>> {
    for name in only {
        if !SCENARIOS.iter().any(|scenario| scenario.name == name) {
            let known = SCENARIOS.iter().map(|scenario| scenario.name).collect::<Vec<_>>().join(", ");
            return Err(Trouble::NoScenario(name.clone(), known));
        }
    }
    let wanted = |scenario: &&Scenario| only.is_empty() || only.iter().any(|name| name == scenario.name);
    Ok(SCENARIOS.iter().filter(wanted).collect())
}

impl Bench {
    pub fn crowd(&self) -> Result<&Crowd> {
        if self.crowd.get().is_none() {
            let gateway = self.gateway.as_deref().expect("gateway targets are measured only when there is one");
            let _ = self.crowd.set(Crowd::make(gateway, self.workdir.path())?);
        }
        Ok(self.crowd.get().expect("it has just been made"))
    }

    fn measure(&self, scenario: &'static Scenario) -> Result<Sheet> {
        let present = |target: &&Target| self.gateway.is_some() || !target.is_gateway();
        let order: Vec<Target> = scenario.targets.iter().filter(present).copied().collect();
        if order.iter().any(|target| target.has_tenants()) {
            self.crowd()?; // before anything is timed
        }
        let sheet = Sheet::new(scenario);
        let mut targets = Targets::open(self, scenario)?;
        match scenario.work {
            Work::Press => {}
            Work::Together => return together(scenario, self.pace, &order, targets, sheet),
            Work::Start => {
                return rounds(scenario, self.pace, &order, |target| start::sample(&targets, target), sheet);
            }
            Work::Translate => return rounds(scenario, self.pace, &order, |_| translate::sample(&targets), sheet),
        }
        targets.start(&order)?;
        let load = (scenario.load)(self.pace);
        if !load.contains("-n ") {
            for &target in &order {
                press(&targets, target, &format!("{load} -d 0.2"))?; // connections, caches, the allocator's arenas
            }
        }
        rounds(scenario, self.pace, &order, |target| press(&targets, target, &load), sheet)
    }
}

fn together(
    scenario: &Scenario,
    pace: Pace,
    order: &[Target],
    mut targets: Targets<'_>,
    mut sheet: Sheet,
) -> Result<Sheet> {
    let load = (scenario.load)(pace);
    for round in 0..(scenario.rounds)(pace) {
        let order = turned(order, round);
        targets.start(&order)?; // anew: where a process has its memory is worth a few per cent
        press_together(&targets, &order, &format!("{load} -d 1"), BEHIND)?;
        let samples = press_together(&targets, &order, &load, BEHIND)?;
        order.iter().zip(samples).for_each(|(&target, sample)| sheet.record(target, sample));
    }
    Ok(sheet)
}

/// Who was first is last.
fn turned(order: &[Target], round: usize) -> Vec<Target> {
    let mut order = order.to_vec();
    let turns = round % order.len().max(1);
    order.rotate_left(turns);
    order
}

fn rounds(
    scenario: &Scenario,
    pace: Pace,
    order: &[Target],
    mut sample: impl FnMut(Target) -> Result<Sample>,
    mut sheet: Sheet,
) -> Result<Sheet> {
    for round in 0..(scenario.rounds)(pace) {
        for target in turned(order, round) {
            signal::check()?;
            sheet.record(target, sample(target)?);
        }
    }
    Ok(sheet)
}
