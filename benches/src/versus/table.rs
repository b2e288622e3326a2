//! Printing rows: for people, and for programs.

use crate::versus::row::{Cell, Row};
use crate::versus::statistics::geometric_mean;
use crate::workload::{Group, Role, Unit, Workload};

/// Prints the comparison while it goes on.
pub(crate) trait Printer {
    /// Prints where and how it is measured.
    fn header(&mut self, lines: &[String]);
    /// Begins a table: workloads of a group, with a number of workers.
    fn begin(&mut self, group: &Group, workloads: &[&Workload], workers: usize);
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

    fn begin(&mut self, _: &Group, _: &[&Workload], _: usize) {}

    fn row(&mut self, row: &Row) {
        println!("{}", json(row));
    }

    fn end(&mut self, _: &[Row]) {}
}

fn json(row: &Row) -> String {
    let unit = match row.unit {
        Unit::Nanoseconds => "ns",
        Unit::Bytes => "bytes",
    };
    format!(
        "{{\"group\":\"{}\",\"workload\":\"{}\",\"workers\":{},\"kamon_{unit}\":{},\
         \"peers\":{},\"ratio\":{}}}",
        row.group,
        row.workload,
        row.workers,
        json_number(row.ours(), 2),
        json_object(row.medians(Role::Peer)),
        json_number(row.ratio(), 3),
    )
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
    name_width: usize,
}

const CELL_WIDTH: usize = 23;
const RATIO_WIDTH: usize = 5;

impl Printer for Text {
    fn header(&mut self, lines: &[String]) {
        for line in lines {
            println!("{line}");
        }
    }

    fn begin(&mut self, group: &Group, workloads: &[&Workload], workers: usize) {
        self.columns.clear();
        for candidate in workloads.iter().flat_map(|workload| &workload.candidates) {
            if !self.columns.contains(&candidate.name) {
                self.columns.push(candidate.name);
            }
        }
        self.name_width = workloads
            .iter()
            .map(|workload| workload.name.len())
            .max()
            .unwrap_or(0);
        let plural = if workers == 1 { "" } else { "s" };
        println!(
            "\n{}, {workers} worker{plural}: {}\n",
            group.name, group.about
        );
        let titles = self.columns.iter().map(|name| (*name).to_owned()).collect();
        self.print("workload", titles, ["ratio", "best"]);
        let rule = "-".repeat(RATIO_WIDTH - 1) + ":";
        let rules = vec!["-".repeat(CELL_WIDTH - 1) + ":"; self.columns.len()];
        self.print(&"-".repeat(self.name_width), rules, [&rule, &rule]);
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
        let ratio =
            |ratio: Option<f64>| ratio.map_or("-".to_owned(), |ratio| format!("{ratio:.2}"));
        let (median, best) = (ratio(row.ratio()), ratio(row.best_ratio()));
        self.print(row.workload, cells, [&median, &best]);
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

impl Text {
    fn print(&self, name: &str, cells: Vec<String>, ratios: [&str; 2]) {
        print!("| {name:width$} |", width = self.name_width);
        for cell in cells {
            print!(" {cell:>CELL_WIDTH$} |");
        }
        let [median, best] = ratios;
        println!(" {median:>RATIO_WIDTH$} | {best:>RATIO_WIDTH$} |");
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::versus::statistics::Summary;

    fn cell(candidate: &'static str, role: Role, sample: Option<f64>) -> Cell {
        let summary = sample.map(|sample| Summary::new(vec![sample]));
        Cell {
            candidate,
            role,
            summary,
        }
    }

    fn row(cells: Vec<Cell>) -> Row {
        let (group, workload) = ("executor", "yield_many");
        Row {
            group,
            workload,
            workers: 2,
            unit: Unit::Nanoseconds,
            cells,
        }
    }

    #[test]
    fn an_object_names_ours_and_every_peer() {
        let row = row(vec![
            cell("bare", Role::Reference, Some(1.0)),
            cell("kamon", Role::Ours, Some(2.0)),
            cell("tokio", Role::Peer, Some(4.0)),
            cell("async-executor", Role::Peer, Some(3.0)),
        ]);
        assert_eq!(
            json(&row),
            r#"{"group":"executor","workload":"yield_many","workers":2,"kamon_ns":2.00,"peers":{"tokio":4.00,"async-executor":3.00},"ratio":1.500}"#
        );
    }

    #[test]
    fn what_failed_is_null() {
        let row = row(vec![
            cell("kamon", Role::Ours, None),
            cell("tokio", Role::Peer, Some(4.0)),
        ]);
        assert!(!row.is_complete());
        assert!(json(&row).contains(r#""kamon_ns":null,"peers":{"tokio":4.00},"ratio":null"#));
    }

    #[test]
    fn three_digits_count() {
        assert_eq!(digits(1234.0), "1234");
        assert_eq!(digits(12.34), "12.3");
        assert_eq!(digits(1.234), "1.23");
    }
}
