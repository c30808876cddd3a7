//! The run for people: a row for each number, a column for each target.

use crate::bench::Bench;
use crate::sheet::{Sheet, best, median};
use crate::target::Target;
use crate::verdict::Verdict;

pub fn head(bench: &Bench) {
    let pace = bench.pace;
    let gateway = bench.gateway.as_ref().map_or("none".into(), |path| path.display().to_string());
    println!("gateway: {gateway}");
    println!(
        "{} cores, {} rounds ({} of streams), {} s a sample",
        bench.cores.count, pace.rounds, pace.stream_rounds, pace.seconds
    );
    println!("cells: median over rounds (best round); ×: gateway ÷ floor-parse, the median of each round's own ratio");
    println!("(in `lanes`: translating ÷ gateway; in `tenants`: of 10,000 ÷ of 1)");
}

pub fn show(sheet: &Sheet) {
    let targets: Vec<Target> =
        Target::ALL.into_iter().filter(|target| sheet.scenario.targets.contains(target)).collect();
    println!("\n{}: {}", sheet.scenario.name, sheet.scenario.about);
    print!("  {:<24}", "");
    for target in &targets {
        print!("{:>18}", target.name());
    }
    println!("{:>8}   {:<10} ", "×", "bar");
    for metric in sheet.scenario.metrics {
        print!("  {:<24}", format!("{}, {}", metric.name, metric.unit));
        for &target in &targets {
            let values = sheet.values(metric, target);
            let best = best(metric, &values);
            print!("{:>18}", median(values).map_or("-".into(), |value| cell(value, best)));
        }
        let ratio = sheet.ratio(metric).map_or("-".into(), |ratio| format!("{ratio:.2}"));
        println!("{ratio:>8}   {:<10} {}", metric.bar.text(metric.unit), Verdict::of(sheet, metric));
    }
}

pub fn foot(sheets: &[Sheet]) {
    let verdicts =
        sheets.iter().flat_map(|sheet| sheet.scenario.metrics.iter().map(|metric| Verdict::of(sheet, metric)));
    let verdicts: Vec<Verdict> = verdicts.collect();
    let count = |wanted| verdicts.iter().filter(|verdict| **verdict == wanted).count();
    println!("\nbars met: {}, missed: {}", count(Verdict::Met), count(Verdict::Missed));
}

fn cell(value: f64, best: Option<f64>) -> String {
    let best = best.map_or(String::new(), |best| format!(" ({})", number(best)));
    format!("{}{best}", number(value))
}

/// Three figures or so: more would claim what a shared machine cannot give.
fn number(value: f64) -> String {
    match value.abs() {
        0.0..1.0 => format!("{value:.3}"),
        1.0..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}
