//! Walking through a program, comparing at each step.

use std::any::Any;
use std::future::Future;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::sync::Arc;

use kamon::runtime::Handle;
use kamon::task::{spawn_local, AbortHandle, JoinError, JoinHandle, JoinSet, LocalSet};
use kamon::time::{call_later, sleep, timeout, Duration};
use kamon::{store_context, with_context, ContextFutureExt as _, Scope};

use super::book::{Book, Probe, Seen};
use super::program::{Fate, Origin, Step};
use crate::witness::pause;

/// Who walks: what is current for it, and where that ends.
#[derive(Clone)]
pub(crate) struct Walk {
    book: Arc<Book>,
    /// What is current.
    seen: Seen,
    /// What is current where the task's result is dropped.
    task: Seen,
    /// Whether the task is bound to its thread, so that open Scopes wait for its next poll.
    bound: bool,
}

/// The result of a task, to be claimed or dropped in the task's Context.
pub(crate) type Parcel = Probe;

type Walking = Pin<Box<dyn Future<Output = Parcel> + Send>>;

/// Walks through the steps.
pub(crate) fn walk(mut walk: Walk, steps: Arc<[Step]>) -> Walking {
    let probe = walk.book.probe(walk.seen, "the drop of a future");
    Box::pin(async move {
        let probe = probe;
        for step in steps.iter() {
            walk.book.check(walk.seen, "before a step");
            walk.step(step, &probe).await;
            walk.book.check(walk.seen, "after a step");
        }
        walk.parcel()
    })
}

impl Walk {
    /// A task.
    pub(crate) fn new(book: &Arc<Book>, seen: Seen) -> Walk {
        Walk {
            book: book.clone(),
            seen,
            task: seen,
            bound: false,
        }
    }

    /// Says that it does not leave its thread.
    pub(crate) fn bound(self) -> Walk {
        Walk {
            bound: true,
            ..self
        }
    }

    /// A task that this one spawns.
    fn task(&self, seen: Seen) -> Walk {
        Walk::new(&self.book, seen)
    }

    /// A part of the same task in another Context.
    fn part(&self, seen: Seen) -> Walk {
        Walk {
            seen,
            ..self.clone()
        }
    }

    fn parcel(&self) -> Parcel {
        self.book.probe(self.task, "the drop of a result")
    }

    async fn step(&mut self, step: &Step, probe: &Probe) {
        match step {
            Step::Pause(times) => pauses(*times).await,
            Step::Sleep => sleep(Duration::from_millis(1)).await,
            Step::Scopes { open, close } => self.scopes(open, close),
            Step::Forget(number) => self.forget(*number, probe).await,
            Step::Closure { number, open } => {
                let part = self.part(Seen::of(*number));
                let in_order: Vec<usize> = (0..open.len()).collect();
                with_context(self.book.context(*number), || part.scopes(open, &in_order));
            }
            Step::Inside { number, steps } => {
                let part = walk(self.part(Seen::of(*number)), steps.clone());
                part.in_context(self.book.context(*number)).await.claim();
            }
            Step::Timeout {
                number,
                millis,
                steps,
            } => {
                let part = walk(self.part(Seen::of(*number)), steps.clone());
                let part = part.in_context(self.book.context(*number));
                if let Ok(parcel) = timeout(Duration::from_millis(*millis), part).await {
                    parcel.claim();
                }
            }
            Step::Child {
                origin,
                fate,
                steps,
            } => settle(self.child(origin, steps), *fate).await,
            Step::Set { fate, tasks } => self.set(*fate, tasks).await,
            Step::Blocking { fate, steps } => settle(self.blocking(steps), *fate).await,
            Step::Local {
                number,
                fate,
                steps,
            } => settle(self.local(*number, steps), *fate).await,
            Step::Timer {
                millis,
                fate,
                steps,
            } => self.timer(*millis, *fate, steps).await,
            Step::Panic => resume_unwind(Box::new(self.parcel())),
        }
    }

    fn scopes(&self, open: &[u32], close: &[usize]) {
        let mut scopes: Vec<Option<Scope>> = Vec::new();
        for &number in open {
            scopes.push(Some(store_context(self.book.context(number))));
            self.book.check(Seen::of(number), "in a Scope");
        }
        for &index in close {
            scopes[index] = None;
            let newest = scopes.iter().rposition(Option::is_some);
            let seen = newest.map_or(self.seen, |index| Seen::of(open[index]));
            self.book.check(seen, "after the end of a Scope");
        }
        self.book.check(self.seen, "without Scopes");
    }

    async fn forget(&mut self, number: u32, probe: &Probe) {
        std::mem::forget(store_context(self.book.context(number)));
        self.book.check(Seen::of(number), "in a forgotten Scope");
        if self.bound {
            self.seen = Seen::of(number);
            probe.expect(self.seen);
        } else {
            // It ends with the poll.
            pause().await;
        }
    }

    fn child(&self, origin: &Origin, steps: &Arc<[Step]>) -> JoinHandle<Parcel> {
        let inherited = self.seen.inherited();
        let steps = steps.clone();
        match origin {
            Origin::Inherited => kamon::spawn(walk(self.task(inherited), steps)),
            Origin::Given(number) => {
                let task = self.task(Seen::of(*number));
                kamon::spawn_in(self.book.context(*number), walk(task, steps))
            }
            Origin::Empty => kamon::spawn_root(walk(self.task(Seen::EMPTY), steps)),
            Origin::Carried => {
                let task = self.task(Seen::EMPTY).part(inherited);
                kamon::spawn_root(walk(task, steps).in_current_context())
            }
        }
    }

    async fn set(&self, fate: Fate, tasks: &[Arc<[Step]>]) {
        let mut set = JoinSet::new();
        for steps in tasks {
            set.spawn(walk(self.task(self.seen.inherited()), steps.clone()));
        }
        match fate {
            Fate::Join => {}
            Fate::Detach => set.detach_all(),
            Fate::Abort(after) => {
                pauses(after).await;
                set.abort_all();
            }
            Fate::Leave(after) => {
                pauses(after).await;
                return;
            }
        }
        while let Some(result) = set.join_next().await {
            claim(result);
        }
    }

    fn blocking(&self, steps: &Arc<[Step]>) -> JoinHandle<Parcel> {
        let inside = self.task(self.seen.inherited()).bound();
        let steps = steps.clone();
        let probe = self.book.probe(inside.seen, "the drop of a closure");
        kamon::spawn_blocking(move || {
            let _probe = probe;
            inside.book.check(inside.seen, "in a closure that blocks");
            Handle::current()
                .block_on(walk(inside.clone(), steps))
                .claim();
            inside.book.check(inside.seen, "after `block_on`");
            inside.parcel()
        })
    }

    fn local(&self, number: u32, steps: &Arc<[Step]>) -> JoinHandle<Parcel> {
        let inside = self.task(self.seen.inherited()).bound();
        let steps = steps.clone();
        kamon::spawn_blocking(move || {
            let set = LocalSet::new();
            let task = inside.clone();
            let joined = Handle::current().block_on(set.run_until(async move {
                let scoped = task.part(Seen::of(number));
                spawn_local(async move {
                    let scope = store_context(scoped.book.context(number));
                    pause().await;
                    scoped.book.check(scoped.seen, "in a Scope across `.await`");
                    walk(scoped, steps).await.claim();
                    drop(scope);
                    task.parcel()
                })
                .await
            }));
            claim(joined);
            inside.book.check(inside.seen, "after a local task");
            drop(set);
            inside.parcel()
        })
    }

    async fn timer(&self, millis: u64, fate: Fate, steps: &Arc<[Step]>) {
        let task = self.task(self.seen.inherited());
        let steps = steps.clone();
        let probe = self.book.probe(task.seen, "the drop of a callback");
        let (sender, called) = tokio::sync::oneshot::channel();
        let timer = call_later(Duration::from_millis(millis), move || {
            let _probe = probe;
            task.book.check(task.seen, "in a callback");
            // Nobody may be there to take the handle.
            let _ = sender.send(kamon::spawn(walk(task, steps)));
        });
        match fate {
            Fate::Abort(after) => {
                pauses(after).await;
                if timer.cancel() {
                    return;
                }
            }
            Fate::Leave(_) => return,
            Fate::Join | Fate::Detach => {}
        }
        // It is dropped uncalled if the runtime ends.
        if let Ok(task) = called.await {
            settle(task, fate).await;
        }
    }
}

async fn pauses(times: u8) {
    for _ in 0..times {
        pause().await;
    }
}

async fn settle(task: JoinHandle<Parcel>, fate: Fate) {
    let abort: AbortHandle = task.abort_handle();
    match fate {
        Fate::Join => claim(task.await),
        Fate::Detach => drop(task),
        Fate::Abort(after) => {
            pauses(after).await;
            abort.abort();
            claim(task.await);
        }
        Fate::Leave(after) => {
            pauses(after).await;
            drop(task);
            abort.abort();
        }
    }
}

/// Takes what a task has left.
pub(crate) fn claim(result: Result<Parcel, JoinError>) {
    match result.map_err(JoinError::try_into_panic) {
        Ok(parcel) => parcel.claim(),
        Err(Ok(payload)) => claim_panic(payload),
        Err(Err(_cancelled)) => {}
    }
}

/// Takes what a panic was raised with: a parcel, if it was a step of the program.
pub(crate) fn claim_panic(payload: Box<dyn Any + Send>) {
    if let Ok(parcel) = payload.downcast::<Parcel>() {
        parcel.claim();
    }
}
