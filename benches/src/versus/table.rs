//! Printing rows: for people, and for programs.

use crate::versus::row::{Cell, Row};
use crate::versus::statistics::geometric_mean;
use crate::workload::{Group, Role, Unit};

/// Prints the comparison while it goes on.
pub(crate) trait Printer {
    /// Prints where and how it is measured.
    fn header(&mut self, lines: &[String]);
    /// Begins the table of a group with a number of workers.
    fn begin(&mut self, group: &Group, workers: usize);
    /// Prints a row.
    fn row(&mut self, row: &Row);
    /// Ends the table.
    fn end(&mut self, rows: &[Row]);
}

/// One object for each row. The header goes to standard error.
pub(crate) struct Json;

impl Printer for Json {
    fn header(&mut self, lines: &[String]) {
        for line in lines {
            eprintln!("{line}");
        }
    }

    fn begin(&mut self, _: &Group, _: usize) {}

    fn row(&mut self, row: &Row) {
        let unit = match row.unit {
            Unit::Nanoseconds => "ns",
            Unit::Bytes => "bytes",
        };
        println!(
            "{{\"group\":\"{}\",\"workload\":\"{}\",\"workers\":{},\"kamon_{unit}\":{},\
             \"peers\":{},\"ratio\":{}}}",
            row.group,
            row.workload,
            row.workers,
            json_number(row.ours(), 2),
            json_object(row.medians(Role::Peer)),
            json_number(row.ratio(), 3),
        );
    }

    fn end(&mut self, _: &[Row]) {}
}

fn json_number(number: Option<f64>, places: usize) -> String {
    match number {
        Some(number) if number.is_finite() => format!("{number:.places$}"),
        _ => "null".to_owned(),
    }
}

fn json_object(medians: impl Iterator<Item = (&'static str, f64)>) -> String {
    let entries: Vec<String> = medians
        .map(|(name, median)| format!("\"{name}\":{}", json_number(Some(median), 2)))
        .collect();
    format!("{{{}}}", entries.join(","))
}

/// A table in Markdown, with its columns under each other.
#[derive(Default)]
pub(crate) struct Text {
    columns: Vec<&'static str>,
}

const NAME_WIDTH: usize = 26;
const CELL_WIDTH: usize = 23;
const RATIO_WIDTH: usize = 5;

impl Printer for Text {
    fn header(&mut self, lines: &[String]) {
        for line in lines {
            println!("{line}");
        }
    }

    fn begin(&mut self, group: &Group, workers: usize) {
        self.columns.clear();
        let names = group
            .workloads
            .iter()
            .flat_map(|workload| &workload.candidates);
        for candidate in names {
            if !self.columns.contains(&candidate.name) {
                self.columns.push(candidate.name);
            }
        }
        let plural = if workers == 1 { "" } else { "s" };
        println!(
            "\n{}, {workers} worker{plural}: {}\n",
            group.name, group.about
        );
        let title = self.columns.iter().map(|name| (*name).to_owned()).collect();
        print_cells("workload", title, "ratio");
        let rule = vec!["-".repeat(CELL_WIDTH - 1) + ":"; self.columns.len()];
        print_cells(
            &"-".repeat(NAME_WIDTH),
            rule,
            &("-".repeat(RATIO_WIDTH - 1) + ":"),
        );
    }

    fn row(&mut self, row: &Row) {
        let cells = self
            .columns
            .iter()
            .map(|column| {
                let cell = row.cells.iter().find(|cell| cell.candidate == *column);
                cell.map_or_else(String::new, |cell| describe(cell, row.unit))
            })
            .collect();
        let ratio = row
            .ratio()
            .map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        print_cells(row.workload, cells, &ratio);
    }

    fn end(&mut self, rows: &[Row]) {
        let mut ratios: Vec<(f64, &str)> = rows
            .iter()
            .filter_map(|row| Some((row.ratio()?, row.workload)))
            .collect();
        ratios.sort_by(|a, b| a.0.total_cmp(&b.0));
        let numbers: Vec<f64> = ratios.iter().map(|(ratio, _)| *ratio).collect();
        if let (Some(mean), [(worst, at), ..]) = (geometric_mean(&numbers), &ratios[..]) {
            println!("\ngeometric mean {mean:.2}; worst {worst:.2} ({at})");
        }
    }
}

fn print_cells(name: &str, cells: Vec<String>, ratio: &str) {
    print!("| {name:NAME_WIDTH$} |");
    for cell in cells {
        print!(" {cell:>CELL_WIDTH$} |");
    }
    println!(" {ratio:>RATIO_WIDTH$} |");
}

/// The median, with the quartiles in brackets.
fn describe(cell: &Cell, unit: Unit) -> String {
    let Some(summary) = cell.summary else {
        return "failed".to_owned();
    };
    let (scale, name) = scale_of(summary.median, unit);
    format!(
        "{} {name} [{} {}]",
        digits(summary.median / scale),
        digits(summary.lower / scale),
        digits(summary.upper / scale)
    )
}

fn scale_of(number: f64, unit: Unit) -> (f64, &'static str) {
    match unit {
        Unit::Nanoseconds if number >= 1e9 => (1e9, "s"),
        Unit::Nanoseconds if number >= 1e6 => (1e6, "ms"),
        Unit::Nanoseconds if number >= 1e3 => (1e3, "us"),
        Unit::Nanoseconds => (1.0, "ns"),
        Unit::Bytes => (1.0, "B"),
    }
}

/// Three digits that count.
fn digits(number: f64) -> String {
    match number.abs() {
        size if size >= 100.0 => format!("{number:.0}"),
        size if size >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}
