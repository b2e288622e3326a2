//! What the fuzz targets ask of any input holds of those that are kept: a few of the vectors for each
//! decoder, and everything that a run has found.
#![cfg(feature = "config")]

#[allow(unreachable_pub)] // There it is a library.
#[path = "../fuzz/src/lib.rs"]
mod targets;

use std::fs;
use std::path::Path;
use std::sync::Mutex;

/// The numbers that the targets look at are the whole process's.
static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());

fn replay(name: &str, target: fn(&[u8])) {
    let _turn = ONE_AT_A_TIME
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut replayed = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        println!("{}", path.display());
        target(&fs::read(&path).unwrap());
        replayed += 1;
    }
    assert!(replayed >= 5, "{name} has {replayed} seeds");
    // And what is none at all.
    target(b"");
}

macro_rules! replays {
    ($($name:ident)*) => {
        /// The targets that are replayed here.
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        $(#[test]
        fn $name() {
            replay(stringify!($name), targets::$name);
        })*
    };
}

replays! { b3_multi b3_single baggage colfer config trace_token traceparent tracestate }

#[test]
fn every_target_is_replayed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets");
    let files = fs::read_dir(folder).unwrap();
    let names = files.map(|file| {
        let path = file.unwrap().path();
        path.file_stem().unwrap().to_str().unwrap().to_owned()
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, NAMES);
}
