//! Options that the chosen flavor cannot honour.

#[kamon::main(flavor = "current_thread", worker_threads = 4)]
async fn workers_of_one_thread() {}

#[kamon::main(flavor = "local", worker_threads = 4)]
async fn workers_of_a_local_runtime() {}

#[kamon::main(start_paused = true)]
async fn paused_threads() {}

#[kamon::test(worker_threads = 4)]
async fn workers_of_a_default_test() {}

#[kamon::test(flavor = "multi_thread", start_paused = true)]
async fn paused_test() {}

fn main() {}
