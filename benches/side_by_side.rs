//! Candidates next to each other in criterion, all in this process: what is left out by `versus`,
//! which gives each a process of its own, is how samples spread and how they change over time.

use std::time::Duration;

use benches::{Group, Meter, Rounds, Unit, Workers};
use criterion::Criterion;

/// Measures the workloads of the group whose names are wanted.
pub(crate) fn measure(group: &Group, wanted: impl Fn(&str) -> bool) {
    let mut criterion = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20)
        .configure_from_args();
    for workload in &group.workloads {
        // Criterion measures time, and as often as it sees fit.
        let fits = workload.unit == Unit::Nanoseconds && matches!(workload.rounds, Rounds::AsTold);
        if !fits || !wanted(workload.name) {
            continue;
        }
        let workers = match workload.workers {
            Workers::Fixed(number) => number,
            Workers::Each(_) => 2,
        };
        let name = format!("{}/{}", group.name, workload.name);
        let mut side_by_side = criterion.benchmark_group(name);
        for candidate in &workload.candidates {
            side_by_side.bench_function(candidate.name, |bencher| {
                let mut measure = |run: benches::Run<'_>| {
                    bencher.iter_custom(|iterations| {
                        Duration::from_nanos((run(iterations) * iterations as f64) as u64)
                    });
                };
                (candidate.body)(&mut Meter::new(&mut measure), workers);
            });
        }
        side_by_side.finish();
    }
    criterion.final_summary();
}
