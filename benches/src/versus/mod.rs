//! The quick honest table.
//!
//! Every candidate runs in processes of its own, and the processes take turns (A B C A B C ...):
//! the sleeping threads of a rival, and where the kernel puts threads that wake, distort what is
//! measured in a process that is shared; and whatever else the machine does, it does to all.

mod arguments;
mod header;
mod process;
mod rounds;
mod row;
mod statistics;
mod table;

use std::env;
use std::process::ExitCode;

pub(crate) use statistics::quantile;

use crate::versus::arguments::{Arguments, Request};
use crate::versus::process::Spec;
use crate::versus::row::Row;
use crate::versus::table::{Json, Printer, Text};
use crate::workload::{groups, Group, Workers, Workload};

/// Runs what the command line asks for.
pub fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    match arguments::parse(&words) {
        Ok(Request::Compare(arguments)) => compare(&arguments),
        Ok(Request::Measure(spec)) => process::measure(&spec),
        Ok(Request::List) => {
            list();
            ExitCode::SUCCESS
        }
        Ok(Request::Help) => {
            print!("{}", arguments::usage());
            ExitCode::SUCCESS
        }
        Err(complaint) => {
            eprint!("versus: {complaint}\n\n{}", arguments::usage());
            ExitCode::from(2)
        }
    }
}

fn list() {
    for group in groups() {
        println!("{}: {}", group.name, group.about);
        for workload in group.workloads {
            let names: Vec<_> = workload
                .candidates
                .iter()
                .map(|candidate| candidate.name)
                .collect();
            println!("  {}: {}", workload.name, names.join(", "));
        }
    }
}

fn compare(arguments: &Arguments) -> ExitCode {
    let mut printer: Box<dyn Printer> = if arguments.json {
        Box::new(Json)
    } else {
        Box::new(Text::default())
    };
    printer.header(&header::lines(arguments));
    let mut complete = true;
    for group in groups() {
        if arguments
            .group
            .as_deref()
            .is_some_and(|wanted| wanted != group.name)
        {
            continue;
        }
        for workers in numbers_of_workers(&group, arguments) {
            let wanted: Vec<&Workload> = group
                .workloads
                .iter()
                .filter(|workload| is_wanted(workload.name, arguments))
                .filter(|workload| workers_of(workload.workers, arguments).contains(&workers))
                .collect();
            for section in wanted.chunk_by(|a, b| a.section() == b.section()) {
                printer.begin(&group, section, workers);
                let rows: Vec<Row> = section
                    .iter()
                    .map(|workload| {
                        let row = Row::measure(group.name, workload, workers, arguments);
                        printer.row(&row);
                        row
                    })
                    .collect();
                printer.end(&rows);
                complete &= rows.iter().all(Row::is_complete);
            }
        }
    }
    if complete {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn is_wanted(workload: &str, arguments: &Arguments) -> bool {
    arguments
        .filter
        .as_deref()
        .is_none_or(|part| workload.contains(part))
}

/// The numbers of workers that the group is run with, one table each.
fn numbers_of_workers(group: &Group, arguments: &Arguments) -> Vec<usize> {
    let mut all: Vec<usize> = group
        .workloads
        .iter()
        .flat_map(|workload| workers_of(workload.workers, arguments))
        .collect();
    all.sort_unstable();
    all.dedup();
    all
}

fn workers_of(workers: Workers, arguments: &Arguments) -> Vec<usize> {
    match (workers, arguments.workers) {
        (Workers::Fixed(number), _) => vec![number],
        (Workers::Each(_), Some(number)) => vec![number],
        (Workers::Each(numbers), None) => numbers.to_vec(),
    }
}
