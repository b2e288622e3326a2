//! `task_local!`: a value belongs to one future, in its polls and in its drop, in any executor.

mod locks;

use std::cell::Cell;
use std::future::{pending, poll_fn, Future};
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use kamon::runtime::Builder;
use locks::Mutex;

kamon::task_local! {
    static NUMBER: u32;
    /// Has documentation, a visibility, and no semicolon.
    #[allow(dead_code)]
    pub(crate) static NAME: String
}

kamon::task_local! {}

/// Ready or pending as told; says what it saw when it was dropped.
struct Witness {
    ready: bool,
    saw: Arc<Mutex<Vec<Option<u32>>>>,
}

impl Future for Witness {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        match self.ready {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.saw.lock().unwrap().push(NUMBER.try_get().ok());
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut TaskContext::from_waker(Waker::noop()))
}

#[test]
fn scopes_nest_and_do_not_mix() {
    let runtime = Builder::new_multi_thread()
        .worker_threads(2)
        .build()
        .unwrap();
    runtime.block_on(async {
        let tasks: Vec<_> = (0..20)
            .map(|number| {
                kamon::spawn(NUMBER.scope(number, async move {
                    for _ in 0..10 {
                        assert_eq!(NUMBER.get(), number);
                        kamon::task::yield_now().await;
                        NUMBER
                            .scope(number + 100, async {
                                kamon::task::yield_now().await;
                                assert_eq!(NUMBER.get(), number + 100);
                            })
                            .await;
                    }
                    NUMBER.with(|outer| NUMBER.with(|again| assert_eq!(outer, again)));
                }))
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert!(NUMBER.try_get().is_err());
    });
}

#[test]
fn a_value_is_not_inherited_by_what_is_spawned() {
    kamon::block_on(NUMBER.scope(1, async {
        let inside = kamon::spawn(async { NUMBER.try_get().ok() });
        assert_eq!(inside.await.unwrap(), None);
    }));
}

#[test]
fn the_future_is_dropped_with_its_value() {
    let saw = Arc::new(Mutex::new(Vec::new()));
    let witness = |ready| Witness {
        ready,
        saw: saw.clone(),
    };

    kamon::block_on(NUMBER.scope(1, witness(true)));
    drop(NUMBER.scope(2, witness(false)));
    {
        let mut polled = pin!(NUMBER.scope(3, witness(false)));
        assert!(poll_once(polled.as_mut()).is_pending());
    }
    let runtime = Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        let task = kamon::spawn(NUMBER.scope(4, witness(false)));
        kamon::task::yield_now().await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        kamon::spawn(NUMBER.scope(5, witness(false)));
    });
    drop(runtime);
    assert_eq!(*saw.lock().unwrap(), [1, 2, 3, 4, 5].map(Some));
}

#[test]
fn a_panic_puts_the_value_back() {
    kamon::block_on(NUMBER.scope(1, async {
        let inner = NUMBER.scope(2, async {
            assert_eq!(NUMBER.get(), 2);
            panic!("on purpose");
        });
        let mut inner = pin!(inner);
        catch_unwind(AssertUnwindSafe(|| poll_once(inner.as_mut()))).unwrap_err();
        assert_eq!(NUMBER.get(), 1);
        assert_eq!(inner.take_value(), Some(2));

        catch_unwind(|| NUMBER.sync_scope(3, || panic!("on purpose"))).unwrap_err();
        assert_eq!(NUMBER.get(), 1);
    }));
}

#[test]
fn sync_scopes_are_scopes() {
    let seen = NUMBER.sync_scope(1, || {
        let inner = NUMBER.sync_scope(2, || NUMBER.get());
        (NUMBER.get(), inner)
    });
    assert_eq!(seen, (1, 2));
    assert!(NUMBER.try_with(|_| ()).is_err());
}

#[test]
fn a_value_can_be_taken_before_and_after() {
    let mut future = Box::pin(NUMBER.scope(1, async { NUMBER.try_get().ok() }));
    assert_eq!(format!("{future:?}"), "TaskLocalFuture { value: 1 }");
    assert_eq!(future.as_mut().take_value(), Some(1));
    assert_eq!(future.as_mut().take_value(), None);
    assert_eq!(
        format!("{future:?}"),
        "TaskLocalFuture { value: <missing> }"
    );
    assert_eq!(kamon::block_on(future), None);

    let mut future = Box::pin(NUMBER.scope(2, async {}));
    kamon::block_on(future.as_mut());
    assert_eq!(future.as_mut().take_value(), Some(2));
}

#[test]
fn a_key_that_is_being_read_cannot_be_entered() {
    let message = |payload: Box<dyn std::any::Any + Send>| *payload.downcast::<&str>().unwrap();
    NUMBER.sync_scope(1, || {
        let refused = catch_unwind(|| NUMBER.with(|_| NUMBER.sync_scope(2, || ()))).unwrap_err();
        assert!(message(refused).contains("while the task-local storage is borrowed"));
        let mut future = pin!(NUMBER.scope(2, async {}));
        let refused = NUMBER
            .with(|_| catch_unwind(AssertUnwindSafe(|| poll_once(future.as_mut()))))
            .unwrap_err();
        assert!(message(refused).contains("while the task-local storage is borrowed"));
        // It did no harm.
        assert_eq!(NUMBER.get(), 1);
        assert!(poll_once(future.as_mut()).is_ready());
        let refused = catch_unwind(AssertUnwindSafe(|| poll_once(future.as_mut()))).unwrap_err();
        assert!(message(refused).contains("polled after completion"));
        assert_eq!(NUMBER.get(), 1);
    });
}

#[test]
fn a_missing_value_is_an_error_or_a_panic() {
    let error = NUMBER.try_get().unwrap_err();
    assert_eq!(error.to_string(), "task-local value not set");
    assert_eq!(format!("{error:?}"), "AccessError");
    let refused = catch_unwind(|| NUMBER.get()).unwrap_err();
    assert_eq!(
        *refused.downcast::<&str>().unwrap(),
        "cannot access a task-local storage value without setting it first"
    );
    assert_eq!(format!("{NUMBER:?}"), "LocalKey { .. }");
}

#[test]
fn other_executors_will_do() {
    futures_lite::future::block_on(NUMBER.scope(1, async {
        let mut yielded = false;
        poll_fn(|cx| {
            assert_eq!(NUMBER.get(), 1);
            cx.waker().wake_by_ref();
            match std::mem::replace(&mut yielded, true) {
                true => Poll::Ready(()),
                false => Poll::Pending,
            }
        })
        .await;
    }));
    let tokio = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    tokio.block_on(async {
        let task = tokio::spawn(NAME.scope("ada".into(), async { NAME.get() }));
        assert_eq!(task.await.unwrap(), "ada");
    });
}

#[test]
fn reading_after_the_thread_has_destroyed_its_slots_is_an_error() {
    struct Late(Arc<Mutex<Vec<bool>>>);
    impl Drop for Late {
        fn drop(&mut self) {
            self.0.lock().unwrap().push(NAME.try_get().is_err());
            let scoped = catch_unwind(|| NAME.sync_scope("late".into(), || NAME.get()));
            // Either there still was a slot, or the panic says that there is none.
            self.0
                .lock()
                .unwrap()
                .push(scoped.is_err() || scoped.unwrap() == "late");
        }
    }
    thread_local! {
        static LATE: Cell<Option<Late>> = const { Cell::new(None) };
    }
    let results = Arc::new(Mutex::new(Vec::new()));
    let late = Late(results.clone());
    std::thread::spawn(move || {
        LATE.set(Some(late));
        // Built after `LATE`, so destroyed before or after it as the system likes.
        NAME.sync_scope("early".into(), || assert_eq!(NAME.get(), "early"));
    })
    .join()
    .unwrap();
    assert_eq!(*results.lock().unwrap(), [true, true]);
}

#[test]
fn it_does_not_matter_who_drops_a_pending_future() {
    let saw = Arc::new(Mutex::new(Vec::new()));
    let witness = Witness {
        ready: false,
        saw: saw.clone(),
    };
    let mut future = Box::pin(NUMBER.scope(1, async {
        witness.await;
        pending::<()>().await;
    }));
    assert!(poll_once(future.as_mut()).is_pending());
    std::thread::spawn(move || drop(future)).join().unwrap();
    assert_eq!(*saw.lock().unwrap(), [Some(1)]);
}
