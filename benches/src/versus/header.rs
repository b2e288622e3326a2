//! Where and how it is measured: machine, compiler, allocator, versions.

use std::fs;
use std::thread;

use crate::versus::arguments::Arguments;

/// The versions of all packages that this was built from.
const LOCK: &str = include_str!("../../../Cargo.lock");

/// The packages whose speed is measured.
const MEASURED: &[&str] = &[
    "tokio",
    "async-executor",
    "tracing",
    "opentelemetry",
    "fastrace",
    "async-io",
];

/// Returns the lines.
pub(crate) fn lines(arguments: &Arguments) -> Vec<String> {
    let cores = thread::available_parallelism().map_or(0, |cores| cores.get());
    let versions: Vec<String> = MEASURED
        .iter()
        .filter_map(|package| Some(format!("{package} {}", locked_version(package)?)))
        .collect();
    vec![
        format!("machine: {}, {cores} cores, {}", processor(), system()),
        format!(
            "built: {}, {}, allocator {}",
            env!("BENCHES_RUSTC"),
            if cfg!(debug_assertions) {
                "NOT optimised"
            } else {
                "release"
            },
            if cfg!(feature = "mimalloc") {
                "mimalloc"
            } else {
                "of the system"
            },
        ),
        format!("peers: {}", versions.join(", ")),
        format!(
            "method: medians [quartiles] of {} processes for each candidate, taking turns, {} \
             rounds in each; ratio = median of the fastest peer / median of kamon; best = the same of \
             everybody's best round",
            arguments.runs, arguments.rounds
        ),
    ]
}

fn locked_version(package: &str) -> Option<&'static str> {
    let (_, rest) = LOCK.split_once(&format!("name = \"{package}\"\nversion = \""))?;
    rest.split('"').next()
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn system() -> String {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or_default();
    format!("{} {}, load {load}", std::env::consts::OS, release.trim())
}

fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}
