//! Unknown names, wrong types, values out of range, twice the same.

#[kamon::main(foo = 1)]
async fn unknown() {}

#[kamon::main(foo)]
async fn unknown_without_value() {}

#[kamon::main(flavor)]
async fn no_value() {}

#[kamon::main(multi_thread)]
async fn bare_flavor() {}

#[kamon::main(flavor("multi_thread"))]
async fn list() {}

#[kamon::main(flavor = 4)]
async fn flavor_of_wrong_type() {}

#[kamon::main(flavor = "foo")]
async fn unknown_flavor() {}

#[kamon::main(flavor = "basic_scheduler")]
async fn old_flavor() {}

#[kamon::main(flavor = "multi_thread", flavor = "multi_thread")]
async fn twice() {}

#[kamon::main(worker_threads = 0)]
async fn no_workers() {}

#[kamon::main(worker_threads = -1)]
async fn negative() {}

#[kamon::main(worker_threads = "2")]
async fn workers_of_wrong_type() {}

#[kamon::main(worker_threads = 1 + 1)]
async fn expression() {}

#[kamon::main(core_threads = 2)]
async fn old_name() {}

#[kamon::main(flavor = "current_thread", start_paused = 1)]
async fn paused_of_wrong_type() {}

#[kamon::main(name = 7)]
async fn name_of_wrong_type() {}

#[kamon::main(crate = 456)]
async fn crate_of_wrong_type() {}

#[kamon::main(crate = "not a path")]
async fn crate_that_is_no_path() {}

#[kamon::main(unhandled_panic = "ignore")]
async fn unstable() {}

#[kamon::main(flavor::deeper = "local")]
async fn path_as_name() {}

#[kamon::main("multi_thread")]
async fn no_name() {}

fn main() {}
