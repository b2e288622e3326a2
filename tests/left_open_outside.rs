//! Code of the user's that runs on the runtime's threads outside of all tasks (wakers, destructors of values in a
//! Context): what it leaves open ends with it, and no task and no later code finds it.

mod witness;

use std::future::{poll_fn, Future};
use std::mem;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::{pin, Pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Wake, Waker};

use futures_lite::future::or;
use kamon::task::yield_now;
use kamon::time::{sleep, Duration};
use kamon::{store_context, with_context, Context, Key};
use witness::locks::Mutex;
use witness::{current, request, workers, Log};

/// What nobody should ever find.
const STALE: u32 = 13;

fn forget_a_scope() {
    mem::forget(store_context(request(STALE)));
}

/// Says what is current where it is called; a forgetful one leaves a Scope open there.
#[derive(Default)]
struct Caller {
    forgetful: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    seen: Option<u32>,
    waiting: Option<Waker>,
}

impl Wake for Caller {
    fn wake(self: Arc<Self>) {
        if self.forgetful {
            forget_a_scope();
        }
        let waiting = {
            let mut state = self.state.lock().unwrap();
            state.seen.get_or_insert(current());
            state.waiting.take()
        };
        if let Some(waiting) = waiting {
            waiting.wake();
        }
    }
}

/// Polls a future once, and waits until it calls its waker. Returns what was current there then; none if
/// the future is ready.
async fn called(future: impl Future, forgetful: bool) -> Option<u32> {
    let caller = Arc::new(Caller {
        forgetful,
        ..Caller::default()
    });
    let waker = Waker::from(caller.clone());
    let mut future = pin!(future);
    let polled = future.as_mut().poll(&mut TaskContext::from_waker(&waker));
    if polled.is_ready() {
        return None;
    }
    let seen = poll_fn(|cx| {
        let mut state = caller.state.lock().unwrap();
        state.waiting = Some(cx.waker().clone());
        state.seen.map_or(Poll::Pending, Poll::Ready)
    });
    Some(seen.await)
}

/// Only yields.
async fn forever_awake<T>() -> T {
    loop {
        yield_now().await;
    }
}

/// What the waker of whoever joins a task finds on the thread that has run it, at the end of its first turn.
async fn outside_of_tasks(forgetful: bool) -> u32 {
    loop {
        if let Some(seen) = called(kamon::spawn(async {}), forgetful).await {
            return seen;
        }
    }
}

/// Runs a test on each kind of runtime that has one thread for its tasks: `block_on`'s, or a worker's. All is
/// well again at its end.
fn on_one_thread<F: Future<Output = ()>>(test: impl Fn() -> F) {
    for number in [0, 1] {
        let runtime = workers(number);
        runtime.block_on(async {
            assert_eq!(outside_of_tasks(false).await, 0);
            test().await;
            assert_eq!(outside_of_tasks(false).await, 0);
        });
        runtime.shut_down();
    }
}

/// A value whose destructor leaves a Scope open.
struct Forgetful(Arc<AtomicBool>);

static FORGETFUL: Key<Option<Forgetful>> = Key::local("forgetful", || None);

/// A Context with such a value, and whether that was dropped.
fn with_forgetful(number: u32) -> (Context, Arc<AtomicBool>) {
    let dropped = Arc::new(AtomicBool::new(false));
    let value = Some(Forgetful(dropped.clone()));
    (request(number).with_key(&FORGETFUL, value), dropped)
}

impl Drop for Forgetful {
    fn drop(&mut self) {
        forget_a_scope();
        self.0.store(true, Ordering::SeqCst);
    }
}

async fn while_not(flag: &AtomicBool) {
    while !flag.load(Ordering::SeqCst) {
        yield_now().await;
    }
}

#[test]
fn what_a_waker_of_a_joiner_leaves_open_ends() {
    on_one_thread(|| async {
        assert_eq!(outside_of_tasks(true).await, STALE, "it sees its own");
    });
}

#[test]
fn what_a_waker_of_a_timer_leaves_open_ends() {
    on_one_thread(|| async {
        // In a thread that sleeps.
        called(sleep(Duration::from_millis(1)), true).await;
        assert_eq!(outside_of_tasks(false).await, 0);
        // In one that looks at the timers between turns.
        let timer = called(sleep(Duration::from_millis(1)), true);
        or(timer, forever_awake()).await;
    });
}

#[test]
fn what_a_value_of_a_tasks_context_leaves_open_ends() {
    on_one_thread(|| async {
        let (context, dropped) = with_forgetful(1);
        with_context(context, || drop(kamon::spawn(async {})));
        while_not(&dropped).await;
    });
}

#[test]
fn what_a_value_of_a_forgotten_scope_leaves_open_ends() {
    on_one_thread(|| async {
        let (context, dropped) = with_forgetful(1);
        drop(kamon::spawn(async {
            mem::forget(store_context(context));
            yield_now().await;
            assert_eq!(current(), 0);
        }));
        while_not(&dropped).await;
    });
}

/// Leaves a Scope open in its only poll.
struct LeavesOpen {
    context: Option<Context>,
    log: Log,
}

impl Future for LeavesOpen {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, _: &mut TaskContext<'_>) -> Poll<()> {
        mem::forget(self.context.take().map(store_context));
        Poll::Ready(())
    }
}

impl Drop for LeavesOpen {
    fn drop(&mut self) {
        self.log.note("dropped");
    }
}

#[test]
fn a_future_is_dropped_in_its_context_whatever_a_value_of_its_scopes_leaves_open() {
    on_one_thread(|| async {
        let log = Log::new();
        let (context, dropped) = with_forgetful(2);
        let future = LeavesOpen {
            context: Some(context),
            log: log.clone(),
        };
        drop(kamon::spawn_in(request(1), future));
        while_not(&dropped).await;
        log.seen("dropped", 1).await;
        assert_eq!(log.once("dropped").request, 1);
    });
}

#[test]
fn what_a_value_leaves_open_does_not_stay_where_its_context_is_dropped() {
    let (context, dropped) = with_forgetful(2);
    with_context(request(1), || {
        drop(context);
        assert!(dropped.load(Ordering::SeqCst));
        assert_eq!(current(), 1);
        let scope = store_context(request(3));
        drop(with_forgetful(4).0);
        assert_eq!(current(), 3);
        drop(scope);
        assert_eq!(current(), 1);
    });
    assert_eq!(current(), 0);
}

/// A value whose destructor panics.
#[derive(Clone)]
struct Bomb(Log);

static FIRST: Key<Option<Bomb>> = Key::local("first bomb", || None);
static SECOND: Key<Option<Bomb>> = Key::local("second bomb", || None);

impl Drop for Bomb {
    fn drop(&mut self) {
        self.0.note("bomb");
        panic!("planned");
    }
}

fn two_bombs(log: &Log) -> Context {
    let one = request(1).with_key(&FIRST, Some(Bomb(log.clone())));
    one.with_key(&SECOND, Some(Bomb(log.clone())))
}

/// The second panic must not meet the first, which would end the process.
#[test]
fn two_destructors_of_one_context_may_panic() {
    let log = Log::new();
    let context = two_bombs(&log);
    assert!(catch_unwind(AssertUnwindSafe(|| drop(context))).is_err());
    assert_eq!(log.count("bomb"), 2);
    // At the end of a frame, of several Scopes, nobody hears of them.
    with_context(request(1), || {
        mem::forget(store_context(two_bombs(&log)));
        mem::forget(store_context(two_bombs(&log)));
    });
    assert_eq!(log.count("bomb"), 6);
    assert_eq!(current(), 0);
    on_one_thread(|| async {
        let log = Log::new();
        with_context(two_bombs(&log), || drop(kamon::spawn(async {})));
        log.seen("bomb", 2).await;
    });
}
