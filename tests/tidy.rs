//! Holds the house: rooms and the arrows between them, and what every file owes its reader.
//!
//! To add a room or an arrow is to edit [`ROOMS`] and to say why in the same change. An arrow that
//! the design does not have is better inverted: a trait below, implemented above.

#[path = "tidy/arrows.rs"]
mod arrows;
#[path = "tidy/files.rs"]
mod files;
#[path = "tidy/shape.rs"]
mod shape;
#[path = "tidy/source.rs"]
mod source;
#[path = "tidy/words.rs"]
mod words;

use std::fs;
use std::path::{Path, PathBuf};

use crate::source::Source;

/// Each room and the rooms it may use. Arrows point down only.
const ROOMS: &[(&str, &[&str])] = &[
    ("sync", &[]),
    ("context", &["sync"]),
    // A message and the Context of its sender: it knows no channel.
    ("channel", &["context"]),
    ("queue", &["sync"]),
    ("task", &["context", "queue", "sync"]),
    // `time` spends the cooperative budget of the task that waits.
    ("time", &["context", "sync", "task"]),
    ("executor", &["context", "queue", "task", "time", "sync"]),
    ("metrics", &["context", "sync"]),
    ("trace", &["metrics", "context", "sync"]),
    ("propagation", &["trace", "context", "sync"]),
    ("report", &["trace", "metrics", "queue", "context", "sync"]),
    (
        "integrations",
        &[
            "report",
            "propagation",
            "executor",
            "time",
            "trace",
            "metrics",
            "task",
            "queue",
            "channel",
            "context",
            "sync",
        ],
    ),
];

/// Rooms whose `mod.rs` may offer (`pub use`) what is above it, and may not use it itself.
const FACES: &[(&str, &str)] = &[
    // tokio's users look for `spawn`, `spawn_blocking` and `LocalSet` in `task`.
    ("task", "executor"),
];

/// Names that the root hands down to a room: where a cargo feature decides which implementation of
/// a room's trait is built in, somebody must choose at compile time, and the root sees both.
const WIRES: &[(&str, &str)] = &[
    // Which `Driver` a runtime parks in.
    ("executor", "make_driver"),
    // Its numbers among the metrics, which this tower does not see.
    ("executor", "observe_runtime"),
    // The budget of a library whose resources tasks use beside ours.
    ("executor", "fill_budget"),
    ("executor", "lift_budget"),
    ("executor", "renew_budget"),
    ("task", "lift_budget"),
    // Where a task's time goes: to spans, which this tower does not see.
    ("task", "task_spawned"),
    ("task", "task_woken"),
    ("task", "task_yielded"),
    ("task", "task_ended"),
    ("task", "timed_turn"),
    // What becomes of the span of a task that panics.
    ("task", "fail_current_span"),
    // Where a sleep outside every runtime is kept: with the global runtime.
    ("time", "default_timers"),
    // Where finished spans go.
    ("trace", "default_sink"),
    // What subscriptions sleep by.
    ("metrics", "tick_after"),
];

/// Cargo features that stand for one outside world each. `integrations/mod.rs` is the only file
/// that may ask for them.
const INTEGRATION_FEATURES: &[&str] = &[
    "config", "http", "kameo", "log", "ractor", "reqwest", "tokio", "tracing",
];

/// Folders with Rust files that are ours.
const FOLDERS: &[&str] = &[
    "src",
    "tests",
    "macros",
    "xtask",
    "benches",
    "examples",
    "loom-tests",
    "fuzz",
];

/// Files for people and machines in which a path of somebody's computer may slip.
const TEXTS: &[&str] = &["md", "toml", "yml", "sh", "stderr"];

const LONGEST_FILE: usize = 400;

/// A rule that a place breaks. Prints as `file:line: what`.
pub(crate) type Complaint = String;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below the folder, in a fixed order. Build output is not ours.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    for path in paths {
        let name = path.file_name().unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != ".git" {
                walk(&path, found);
            }
        } else {
            found.push(path);
        }
    }
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).unwrap_or(path);
    path.to_string_lossy().replace('\\', "/")
}

/// All Rust files of the repository.
fn sources() -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in FOLDERS {
        walk(&root().join(folder), &mut paths);
    }
    let sources: Vec<Source> = paths
        .iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| Source::new(relative(path), fs::read_to_string(path).unwrap()))
        .collect();
    assert!(
        sources.iter().any(|source| source.path == "src/lib.rs"),
        "the sources were not found: every rule would hold of nothing"
    );
    sources
}

fn hold(rule: impl Fn(&Source) -> Vec<Complaint>) {
    report(sources().iter().flat_map(rule).collect());
}

fn report(complaints: Vec<Complaint>) {
    assert!(
        complaints.is_empty(),
        "\n{}\n\n{} complaints",
        complaints.join("\n"),
        complaints.len()
    );
}

#[test]
fn the_table_of_rooms_has_no_circles() {
    report(arrows::circles(ROOMS));
}

#[test]
fn arrows_point_down_only() {
    hold(|source| arrows::check(source, ROOMS, FACES));
}

#[test]
fn imports_name_the_owning_room() {
    hold(|source| arrows::root_imports(source, ROOMS, WIRES));
}

#[test]
fn only_sync_knows_loom() {
    hold(words::loom);
}

#[test]
fn every_folder_in_src_is_a_room() {
    let mut paths = Vec::new();
    walk(&root().join("src"), &mut paths);
    let paths: Vec<String> = paths.iter().map(|path| relative(path)).collect();
    report(files::rooms(&paths, ROOMS));
}

#[test]
fn room_fronts_and_the_root_hold_declarations_only() {
    hold(|source| {
        if source.path == "src/lib.rs" || source.is_room_front() {
            shape::declarations_only(source)
        } else {
            Vec::new()
        }
    });
}

#[test]
fn integration_features_are_asked_for_in_one_file() {
    hold(|source| words::features(source, INTEGRATION_FEATURES));
}

#[test]
fn files_say_what_they_hold_and_stay_short() {
    hold(|source| files::check(source, LONGEST_FILE));
}

#[test]
fn nothing_is_left_undone() {
    hold(words::undone);
}

#[test]
fn unsafe_code_says_why_it_is_safe() {
    hold(words::safety);
}

#[test]
fn orderings_say_what_they_pair_with() {
    hold(words::orderings);
}

#[test]
fn no_file_names_a_path_of_somebodys_computer() {
    hold(|source| words::machine_paths(&source.path, &source.text));

    let mut paths = Vec::new();
    walk(root(), &mut paths);
    let is_text = |path: &PathBuf| {
        let extension = path.extension().unwrap_or_default();
        TEXTS.iter().any(|text| extension == *text) || path.ends_with(".ci/run")
    };
    let complaints = paths
        .iter()
        .filter(|path| is_text(path))
        .flat_map(|path| words::machine_paths(&relative(path), &fs::read_to_string(path).unwrap()));
    report(complaints.collect());
}
