//! One command that measures the gateway against the least that a proxy in our language can cost.
//!
//! Every scenario starts its own mock upstream and proxies on free loopback ports, and measures all targets in turn in
//! each of several rounds, so that whatever else the machine does falls on all alike. Figures are for comparing within
//! one run: read the ratios.

mod options; // the command line
mod scenario; // what is measured, and the bars: data

mod bench; // a run: rounds, order, samples
mod crowd; // stores of one organisation and of many
mod pressure; // the load generator at work on one target
mod start; // a process started and left alone
mod target;
mod translate; // prompts translated in the process // who is measured, and how each is started

mod report; // the sheet for machines
mod sheet; // samples by target and round; medians and ratios
mod table; // the sheet for people
mod verdict; // bars, and whether they are met

mod clock; // CPU time and memory, from /proc
mod http; // one request
mod process; // a child that dies with its guard
mod siblings; // where our own binaries are
mod signal; // being told to stop
mod trouble; // what can go wrong, said to its reader

use std::error::Error;
use std::process::ExitCode;

use clap::Parser;
use options::Options;

fn main() -> ExitCode {
    match bench::run(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(trouble) => {
            eprint!("bench: {trouble}");
            let mut cause = trouble.source();
            while let Some(why) = cause {
                eprint!(": {why}");
                cause = why.source();
            }
            eprintln!();
            ExitCode::FAILURE
        }
    }
}
