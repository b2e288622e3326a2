//! The task hooks: called at each turning point of every task, told its id, its Context and the
//! place where it was spawned.

mod witness;

use std::collections::HashMap;
use std::panic::Location;
use std::sync::Arc;
use std::thread::{self, ThreadId};

use kamon::runtime::{Builder, Runtime};
use kamon::task::{block_in_place, Id, JoinSet, TaskMeta};
use kamon::time::{call_later, Duration};
use kamon::{store_context, with_context, Context};
use witness::locks::Mutex;
use witness::{after, current, poll_by_hand, quiet_panic, request, Log, Steps, REQUEST};

/// One call of a hook.
#[derive(Clone, Debug)]
struct Call {
    hook: &'static str,
    id: Id,
    location: &'static Location<'static>,
    context: Context,
    /// What was current as it was called.
    current: u32,
    current_id: Option<Id>,
}

#[derive(Clone, Default)]
struct Calls(Arc<Mutex<Vec<Call>>>);

impl Calls {
    fn hook(&self, hook: &'static str) -> impl Fn(&TaskMeta<'_>) + Send + Sync + 'static {
        let calls = self.0.clone();
        move |task| {
            calls.lock().unwrap().push(Call {
                hook,
                id: task.id(),
                location: task.spawned_at(),
                context: task.context().clone(),
                current: current(),
                current_id: kamon::task::try_id(),
            });
        }
    }

    fn of(&self, id: Id) -> Vec<Call> {
        let calls = self.0.lock().unwrap();
        calls.iter().filter(|call| call.id == id).cloned().collect()
    }

    /// The names of the hooks that were called for a task.
    fn order(&self, id: Id) -> Vec<&'static str> {
        self.of(id).iter().map(|call| call.hook).collect()
    }
}

fn hooked(workers: usize) -> (Runtime, Calls) {
    let calls = Calls::default();
    let mut builder = match workers {
        0 => Builder::new_current_thread(),
        _ => Builder::new_multi_thread(),
    };
    let runtime = builder
        .worker_threads(workers.max(1))
        .on_task_spawn(calls.hook("spawn"))
        .on_before_task_poll(calls.hook("before"))
        .on_after_task_poll(calls.hook("after"))
        .on_task_terminate(calls.hook("terminate"))
        .build()
        .unwrap();
    (runtime, calls)
}

fn on_each(test: impl Fn(Runtime, Calls)) {
    for workers in [0, 1, 2] {
        let (runtime, calls) = hooked(workers);
        test(runtime, calls);
    }
}

#[test]
fn of_a_task_from_its_spawn_to_its_end() {
    on_each(|runtime, calls| {
        let log = Log::new();
        let (task, line) = with_context(request(1), || {
            (runtime.spawn(Steps::ready_after(&log, 2)), line!())
        });
        let id = task.id();
        with_context(request(2), || runtime.block_on(task)).unwrap();
        let poll = ["before", "after"];
        let expected = [&["spawn"][..], &poll, &poll, &poll, &["terminate"]].concat();
        assert_eq!(calls.order(id), expected);
        for call in calls.of(id) {
            assert_eq!(call.location.file(), file!());
            assert_eq!(call.location.line(), line);
            assert_eq!(call.context.get(&REQUEST), &1);
            assert_eq!(call.current, 1, "the hook runs in it, too");
            let inside = call.hook != "spawn";
            assert_eq!(call.current_id, inside.then_some(id));
        }
        assert_eq!(log.requests("poll"), [1; 3]);
    });
}

#[test]
fn of_a_task_that_comes_from_empty() {
    on_each(|runtime, calls| {
        let id = with_context(request(1), || {
            runtime.block_on(async {
                let task = kamon::spawn_root(async {});
                let id = task.id();
                task.await.unwrap();
                id
            })
        });
        assert_eq!(calls.order(id), ["spawn", "before", "after", "terminate"]);
        for call in calls.of(id) {
            assert!(call.context.is_empty());
            assert_eq!(call.current, 0);
        }
    });
}

#[test]
fn of_a_task_that_panics() {
    on_each(|runtime, calls| {
        let task = runtime.spawn(async { quiet_panic("planned") });
        let id = task.id();
        assert!(runtime.block_on(task).is_err());
        assert_eq!(calls.order(id), ["spawn", "before", "after", "terminate"]);
    });
}

#[test]
fn of_a_task_that_is_aborted() {
    on_each(|runtime, calls| {
        let log = Log::new();
        let task = runtime.spawn(after(log.on_drop("future"), Steps::never(&log)));
        let id = task.id();
        runtime.block_on(async {
            log.seen("poll", 1).await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(calls.order(id), ["spawn", "before", "after", "terminate"]);
    });
}

#[test]
fn of_a_task_that_is_never_polled() {
    let (runtime, calls) = hooked(0);
    let task = with_context(request(1), || runtime.spawn(async {}));
    let id = task.id();
    with_context(request(2), || drop(runtime));
    assert_eq!(calls.order(id), ["spawn", "terminate"]);
    assert!(calls.of(id).iter().all(|call| call.current == 1));
}

#[test]
fn of_a_task_at_shutdown() {
    on_each(|runtime, calls| {
        let log = Log::new();
        let task = with_context(request(1), || runtime.spawn(Steps::never(&log)));
        let id = task.id();
        runtime.block_on(log.seen("poll", 1));
        drop(task);
        with_context(request(2), || drop(runtime));
        assert_eq!(calls.order(id), ["spawn", "before", "after", "terminate"]);
        assert!(calls.of(id).iter().all(|call| call.current == 1));
    });
}

#[test]
fn the_terminate_hook_comes_when_the_future_is_gone_and_before_the_joiner_goes_on() {
    for workers in [0, 1, 2] {
        let log = Log::new();
        let told = log.clone();
        let mut builder = match workers {
            0 => Builder::new_current_thread(),
            _ => Builder::new_multi_thread(),
        };
        let runtime = builder
            .worker_threads(workers.max(1))
            .on_task_terminate(move |_| told.note("terminate"))
            .build()
            .unwrap();
        let task = runtime.spawn(after(log.on_drop("future"), Steps::ready_after(&log, 0)));
        runtime.block_on(async {
            task.await.unwrap();
            log.note("joined");
        });
        assert_eq!(log.order(), ["poll", "future", "terminate", "joined"]);
    }
}

#[test]
fn every_way_to_spawn_tells_its_place() {
    on_each(|runtime, calls| {
        let _guard = runtime.enter();
        let mut lines = Vec::new();
        let mut set = JoinSet::new();
        runtime.block_on(async {
            let tasks = [
                (kamon::spawn(async {}), line!()),
                (kamon::spawn_in(request(1), async {}), line!()),
                (kamon::spawn_root(async {}), line!()),
                (kamon::task::spawn(async {}), line!()),
                (runtime.spawn(async {}), line!()),
                (runtime.handle().spawn(async {}), line!()),
                (kamon::spawn_blocking(|| ()), line!()),
                (kamon::task::spawn_blocking(|| ()), line!()),
                (runtime.spawn_blocking(|| ()), line!()),
                (runtime.handle().spawn_blocking(|| ()), line!()),
            ];
            for (task, line) in tasks {
                lines.push((task.id(), line));
                task.await.unwrap();
            }
            let tasks = [
                (set.spawn(async {}), line!()),
                (set.spawn_on(async {}, runtime.handle()), line!()),
                (set.spawn_blocking(|| ()), line!()),
                (set.spawn_blocking_on(|| (), runtime.handle()), line!()),
            ];
            lines.extend(tasks.map(|(task, line)| (task.id(), line)));
            while set.join_next().await.is_some() {}
        });
        assert_eq!(lines.len(), 14);
        for (id, line) in lines {
            let spawned = &calls.of(id)[0];
            assert_eq!((spawned.hook, spawned.location.file()), ("spawn", file!()));
            assert_eq!(spawned.location.line(), line);
        }
    });
}

#[test]
fn of_a_timer_callback() {
    on_each(|runtime, calls| {
        let (sender, called) = tokio::sync::oneshot::channel();
        let _guard = runtime.enter();
        let line = with_context(request(1), || {
            let callback = move || sender.send(kamon::task::id()).unwrap();
            drop(call_later(Duration::from_millis(1), callback));
            line!() - 1
        });
        let id = runtime.block_on(called).unwrap();
        let spawned = &calls.of(id)[0];
        assert_eq!(
            (spawned.location.file(), spawned.location.line()),
            (file!(), line)
        );
        assert_eq!(spawned.context.get(&REQUEST), &1);
    });
}

#[test]
fn a_hook_may_use_the_runtime() {
    let seen = Log::new();
    let told = seen.clone();
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_task_terminate(move |task| {
            // Only the first task's end, or it would go on for ever.
            if task.context().get(&REQUEST) == &1 {
                let told = told.clone();
                let root = async move { told.note("spawned by the hook") };
                drop(kamon::spawn_in(request(2), root));
            }
        })
        .build()
        .unwrap();
    let task = with_context(request(1), || runtime.spawn(async {}));
    runtime.block_on(task).unwrap();
    seen.wait("spawned by the hook", 1);
    assert_eq!(seen.requests("spawned by the hook"), [2]);
    assert!(poll_by_hand(&mut Box::pin(seen.seen("spawned by the hook", 1))).is_ready());
}

#[test]
fn a_hook_that_panics_or_forgets_a_scope_harms_nobody() {
    for multi_thread in [false, true] {
        let hooks = Log::new();
        let of_thread = |what| {
            let hooks = hooks.clone();
            move || {
                hooks.note(what);
                std::mem::forget(store_context(request(9)));
                quiet_panic("planned")
            }
        };
        let of_task = |what| {
            let hook = of_thread(what);
            move |_: &kamon::task::TaskMeta<'_>| hook()
        };
        let mut builder = match multi_thread {
            true => Builder::new_multi_thread(),
            false => Builder::new_current_thread(),
        };
        let runtime = builder
            .worker_threads(1)
            .on_task_spawn(of_task("spawn"))
            .on_before_task_poll(of_task("before"))
            .on_after_task_poll(of_task("after"))
            .on_task_terminate(of_task("terminate"))
            .on_thread_start(of_thread("thread"))
            .on_thread_stop(of_thread("thread"))
            .on_thread_park(of_thread("thread"))
            .on_thread_unpark(of_thread("thread"))
            .build()
            .unwrap();
        let log = Log::new();
        runtime.block_on(async {
            kamon::spawn_in(request(1), Steps::ready_after(&log, 3))
                .await
                .unwrap();
            let blocking = with_context(request(1), || kamon::spawn_blocking(current));
            assert_eq!(blocking.await.unwrap(), 1);
            kamon::time::sleep(Duration::from_millis(1)).await;
        });
        drop(runtime);
        // What a hook forgets is nobody else's: neither the task's nor the next hook's.
        assert_eq!(log.requests("poll"), [1; 4]);
        for of_task in ["spawn", "before", "after", "terminate"] {
            let seen = hooks.requests(of_task);
            assert!(!seen.is_empty() && seen.iter().all(|&request| request == 1));
        }
        let seen = hooks.requests("thread");
        assert!(seen.len() >= 3 && seen.iter().all(|&request| request == 0));
        assert_eq!(current(), 0);
    }
}

#[test]
fn each_thread_starts_once_and_stops_once() {
    let calls: Arc<Mutex<HashMap<ThreadId, [usize; 2]>>> = Arc::default();
    let count = |which: usize| {
        let calls = calls.clone();
        move || {
            let thread = thread::current().id();
            calls.lock().unwrap().entry(thread).or_default()[which] += 1;
        }
    };
    let runtime = Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(count(0))
        .on_thread_stop(count(1))
        .build()
        .unwrap();
    for _ in 0..3 {
        // A thread of the blocking pool goes on as the worker.
        let task = runtime.spawn(async { block_in_place(|| ()) });
        runtime.block_on(task).unwrap();
        runtime.block_on(runtime.spawn_blocking(|| ())).unwrap();
    }
    drop(runtime);
    let calls = calls.lock().unwrap();
    assert!(calls.len() > 1);
    assert!(calls.values().all(|calls| *calls == [1, 1]), "{calls:?}");
}
