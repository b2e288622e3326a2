//! Names, lengths and first lines of files, and which folders there are.

use crate::source::Source;
use crate::Complaint;

/// Names that say nothing about what is inside.
const NAMELESS: &[&str] = &["util", "utils", "common", "helper", "helpers", "misc"];

/// Complaints about the file's first line, its length and its name.
pub(crate) fn check(source: &Source, longest: usize) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    if !source.text.starts_with("//! ") {
        complaints.push(source.at(
            0,
            "the first line does not say what the file holds (`//! `)",
        ));
    }
    let lines = source.text.lines().count();
    if lines > longest {
        let what = format_args!("{lines} lines, at most {longest} are allowed");
        complaints.push(source.at(lines - 1, what));
    }
    for part in source.path.trim_end_matches(".rs").split('/') {
        if NAMELESS.contains(&part) {
            complaints.push(source.at(0, format_args!("`{part}` is not a noun of the house")));
        }
    }
    complaints
}

/// Complaints about folders in `src` that are no rooms, and about files that stand in none.
pub(crate) fn rooms(paths: &[String], rooms: &[(&str, &[&str])]) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for path in paths {
        let inside = path.strip_prefix("src/").unwrap_or(path);
        match inside.split_once('/') {
            None if inside == "lib.rs" || inside.ends_with(".md") => {}
            None => complaints.push(format!("{path}: stands in no room")),
            Some((room, _)) if !rooms.iter().any(|(name, _)| *name == room) => {
                complaints.push(format!("{path}: `{room}` is not in the table of rooms"));
            }
            Some((room, _)) => {
                let front = format!("src/{room}/mod.rs");
                if !paths.contains(&front) {
                    complaints.push(format!("{path}: the room has no mod.rs"));
                }
            }
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaints(path: &str, text: &str) -> usize {
        check(&Source::new(path, text), 3).len()
    }

    #[test]
    fn files_are_held_to_first_line_length_and_name() {
        assert_eq!(complaints("src/task/id.rs", "//! Ids.\n\nfn a() {}\n"), 0);
        assert_eq!(complaints("src/task/id.rs", "// Ids.\n"), 1);
        assert_eq!(complaints("src/task/id.rs", "\n//! Ids.\n"), 1);
        assert_eq!(complaints("src/task/id.rs", "//! Ids.\n\n\n\n"), 1);
        assert_eq!(complaints("src/task/utils.rs", "//! Ids.\n"), 1);
        assert_eq!(complaints("tests/common/mod.rs", "//! Ids.\n"), 1);
    }

    #[test]
    fn folders_are_rooms() {
        let table: &[(&str, &[&str])] = &[("task", &[])];
        let check = |paths: &[&str]| {
            let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
            rooms(&paths, table).len()
        };
        assert_eq!(
            check(&["src/lib.rs", "src/DESIGN.md", "src/task/mod.rs"]),
            0
        );
        assert_eq!(check(&["src/task.rs"]), 1);
        assert_eq!(check(&["src/task/id.rs"]), 1);
        assert_eq!(check(&["src/attic/mod.rs"]), 1);
    }
}
