//! Rule 3: whatever is spawned gets the Context of the call, not that of its first run.

mod witness;

use kamon::task::{JoinSet, LocalSet};
use kamon::time::{call_later, Duration};
use kamon::{store_context, with_context, ContextFutureExt as _};
use witness::{current, on_each, pause, request};

#[test]
fn rule_3_captured_at_the_call() {
    on_each(|runtime| {
        let (sender, called) = tokio::sync::oneshot::channel();
        let local = LocalSet::new();
        let mut set = JoinSet::new();
        let see = || async { current() };
        let scope = store_context(request(7));
        let guard = runtime.enter();
        let spawned = [
            kamon::spawn(see()),
            runtime.spawn(see()),
            runtime.handle().spawn(see()),
            kamon::spawn_blocking(current),
            runtime.spawn_blocking(current),
            runtime.handle().spawn_blocking(current),
            local.spawn_local(see()),
            kamon::spawn(see().in_current_context()),
        ];
        set.spawn(see());
        set.spawn_on(see(), runtime.handle());
        set.spawn_blocking(current);
        set.spawn_blocking_on(current, runtime.handle());
        set.spawn_local_on(see(), &local);
        drop(call_later(Duration::from_millis(1), || {
            sender.send(current()).unwrap()
        }));
        scope.close();
        drop(guard);

        let _another = store_context(request(8));
        local.block_on(runtime, async {
            for task in spawned {
                assert_eq!(task.await.unwrap(), 7);
            }
            assert_eq!(set.join_all().await, [7; 5]);
            assert_eq!(called.await, Ok(7));
            assert_eq!(current(), 8);
        });
    });
}

#[test]
fn rule_3_tasks_inherit_from_tasks() {
    on_each(|runtime| {
        let seen = runtime.block_on(async {
            kamon::spawn_in(request(1), async {
                let same = kamon::spawn(async {
                    let deeper = kamon::spawn_blocking(|| {
                        kamon::spawn(async { kamon::spawn(async { current() }).await })
                    });
                    deeper.await.unwrap().await.unwrap().unwrap()
                });
                let other = with_context(request(2), || {
                    kamon::spawn(async { kamon::spawn(async { current() }).await.unwrap() })
                });
                let inside = async { kamon::spawn(async { current() }).await.unwrap() };
                (
                    same.await.unwrap(),
                    other.await.unwrap(),
                    inside.in_context(request(3)).await,
                )
            })
            .await
            .unwrap()
        });
        assert_eq!(seen, (1, 2, 3));
    });
}

#[test]
fn rule_3_what_the_spawner_does_later_is_its_own() {
    on_each(|runtime| {
        runtime.block_on(async {
            let task = {
                let _scope = store_context(request(1));
                kamon::spawn(async {
                    let early = current();
                    pause().await;
                    (early, current())
                })
            };
            let _scope = store_context(request(2));
            assert_eq!(task.await.unwrap(), (1, 1));
        });
    });
}

#[test]
fn rule_3_a_callback_runs_in_the_context_of_the_call() {
    on_each(|runtime| {
        runtime.block_on(async {
            let seen = kamon::spawn_in(request(1), async {
                let (sender, called) = tokio::sync::oneshot::channel();
                let outer = call_later(Duration::from_millis(1), move || {
                    let _scope = store_context(request(2));
                    drop(call_later(Duration::from_millis(1), || {
                        drop(kamon::spawn(async move { sender.send(current()).unwrap() }));
                    }));
                });
                with_context(request(3), || drop(outer));
                called.await.unwrap()
            });
            assert_eq!(seen.await.unwrap(), 2);
        });
    });
}
