//! Random programs of Scopes, frames and tasks against a model that is a list of lists.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{catch_unwind, resume_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker};

use proptest::prelude::*;

use super::{Tracked, TRACKED};
use crate::context::slot::{self, Frame, Overlay, SavedScopes};
use crate::context::{current_context, store_context, with_context};
use crate::context::{Context, ContextFutureExt as _, Scope};

/// How many futures, and how many tasks, a program plays with.
const OWNERS: usize = 3;

#[derive(Clone, Debug)]
enum Step {
    /// Opens a Scope.
    Open,
    /// Closes any Scope that is still held.
    Close(usize),
    /// Forgets any Scope that is still held.
    Forget(usize),
    /// Runs the steps in a closure, which may panic at the end.
    Within(Vec<Step>, bool),
    /// The same in a frame whose base is an overlay.
    Over(Vec<Step>, bool),
    /// Looks at the current Context as a whole.
    Capture,
    /// Runs the steps in the next poll of an `in_context` future; the last poll drops it.
    Poll(usize, Vec<Step>, bool),
    /// Runs the steps in the next poll of a task bound to this thread; the last poll ends it.
    Task(usize, Vec<Step>, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let flat = prop_oneof![
        4 => Just(Step::Open),
        3 => any::<usize>().prop_map(Step::Close),
        1 => any::<usize>().prop_map(Step::Forget),
        1 => Just(Step::Capture),
    ];
    let step = flat.prop_recursive(4, 60, 8, |inner| {
        let inner = || prop::collection::vec(inner.clone(), 0..8);
        prop_oneof![
            (inner(), any::<bool>()).prop_map(|(steps, end)| Step::Within(steps, end)),
            (inner(), any::<bool>()).prop_map(|(steps, end)| Step::Over(steps, end)),
            (0..OWNERS, inner(), prop::bool::weighted(0.2))
                .prop_map(|(owner, steps, end)| Step::Poll(owner, steps, end)),
            (0..OWNERS, inner(), prop::bool::weighted(0.2))
                .prop_map(|(owner, steps, end)| Step::Task(owner, steps, end)),
        ]
    });
    prop::collection::vec(step, 0..30)
}

/// What must be the case.
#[derive(Default)]
struct Model {
    frames: Vec<ModelFrame>,
    /// The Scopes that wait for the next poll of a future or of a task.
    saved: BTreeMap<Owner, Vec<Opened>>,
}

#[derive(Default)]
struct ModelFrame {
    base: usize,
    scopes: Vec<Opened>,
    bound: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Owner {
    Closure,
    Future(usize),
    Task(usize),
}

/// A Scope, by the number of its Context.
type Opened = usize;

impl Model {
    fn current(&self) -> usize {
        let frame = self.frames.last().unwrap();
        frame.scopes.last().copied().unwrap_or(frame.base)
    }

    fn enter(&mut self, base: usize, owner: Owner) {
        let bound = matches!(owner, Owner::Task(_)) || self.frames.last().unwrap().bound;
        let scopes = self.saved.remove(&owner).unwrap_or_default();
        self.frames.push(ModelFrame {
            base,
            scopes,
            bound,
        });
    }

    fn leave(&mut self, owner: Owner) {
        let frame = self.frames.pop().unwrap();
        if frame.bound && owner != Owner::Closure {
            self.saved.insert(owner, frame.scopes);
        }
    }

    fn close(&mut self, scope: Opened) {
        let frames = self.frames.iter_mut().map(|frame| &mut frame.scopes);
        for scopes in frames.chain(self.saved.values_mut()) {
            scopes.retain(|open| *open != scope);
        }
    }
}

type Script = Arc<RefCell<Vec<Step>>>;
type Scripted<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

struct Future_<'a> {
    base: usize,
    script: Script,
    future: Scripted<'a>,
}

struct Task {
    base: usize,
    context: Context,
    saved: SavedScopes,
}

fn number(tracked: &Option<Tracked>) -> usize {
    tracked.as_ref().map_or(0, |tracked| tracked.number)
}

/// The program at work beside the model.
struct Machine<'a> {
    model: RefCell<Model>,
    held: RefCell<Vec<(Opened, Scope)>>,
    futures: RefCell<[Option<Future_<'a>>; OWNERS]>,
    tasks: RefCell<[Option<Task>; OWNERS]>,
    next: AtomicUsize,
    alive: Arc<AtomicUsize>,
}

impl<'a> Machine<'a> {
    fn context(&self) -> (usize, Context) {
        let number = 1 + self.next.fetch_add(1, Ordering::Relaxed);
        (
            number,
            Context::empty().with_key(&TRACKED, Some(Tracked::new(number, &self.alive))),
        )
    }

    fn check(&self) {
        let seen = slot::with_value(&TRACKED, number);
        assert_eq!(seen, self.model.borrow().current());
    }

    fn capture(&self) {
        let captured = current_context();
        assert_eq!(
            number(captured.get(&TRACKED)),
            self.model.borrow().current()
        );
    }

    fn run(&'a self, steps: &[Step]) {
        for step in steps {
            match step {
                Step::Open => {
                    let (number, context) = self.context();
                    let scope = store_context(context);
                    self.held.borrow_mut().push((number, scope));
                    self.model
                        .borrow_mut()
                        .frames
                        .last_mut()
                        .unwrap()
                        .scopes
                        .push(number);
                }
                Step::Close(any) => {
                    if let Some((number, scope)) = self.take(*any) {
                        self.model.borrow_mut().close(number);
                        drop(scope);
                    }
                }
                Step::Forget(any) => std::mem::forget(self.take(*any)),
                Step::Within(steps, panics) => self.within(steps, *panics),
                Step::Over(steps, panics) => self.over(steps, *panics),
                Step::Capture => self.capture(),
                Step::Poll(which, steps, end) => self.poll(*which, steps, *end),
                Step::Task(which, steps, end) => self.task(*which, steps, *end),
            }
            self.check();
        }
    }

    fn take(&self, any: usize) -> Option<(Opened, Scope)> {
        let mut held = self.held.borrow_mut();
        let index = any.checked_rem(held.len())?;
        Some(held.swap_remove(index))
    }

    fn within(&'a self, steps: &[Step], panics: bool) {
        let (number, context) = self.context();
        self.closure(|| with_context(context, || self.inside(number, steps, panics)));
    }

    fn over(&'a self, steps: &[Step], panics: bool) {
        let number = 1 + self.next.fetch_add(1, Ordering::Relaxed);
        let value = Some(Tracked::new(number, &self.alive));
        self.closure(|| {
            let over = Overlay::new(&TRACKED, &value);
            let _over = Frame::enter(&over);
            self.inside(number, steps, panics);
        });
    }

    fn inside(&'a self, base: usize, steps: &[Step], panics: bool) {
        self.model.borrow_mut().enter(base, Owner::Closure);
        self.check();
        self.run(steps);
        if panics {
            resume_unwind(Box::new("planned"));
        }
    }

    fn closure(&'a self, run: impl FnOnce()) {
        let outcome = catch_unwind(AssertUnwindSafe(run));
        self.model.borrow_mut().leave(Owner::Closure);
        if let Err(payload) = outcome {
            if payload.downcast_ref() != Some(&"planned") {
                resume_unwind(payload);
            }
        }
    }

    fn poll(&'a self, which: usize, steps: &[Step], end: bool) {
        // Taken out, so that a poll within itself finds an empty place and makes a new one.
        let taken = self.futures.borrow_mut()[which].take();
        let mut polled = taken.unwrap_or_else(|| self.future());
        *polled.script.borrow_mut() = steps.to_vec();
        self.model
            .borrow_mut()
            .enter(polled.base, Owner::Future(polled.base));
        let waker = Waker::noop();
        assert_eq!(
            polled
                .future
                .as_mut()
                .poll(&mut TaskContext::from_waker(waker)),
            Poll::Pending
        );
        self.model.borrow_mut().leave(Owner::Future(polled.base));
        self.check();
        let replaced = if end {
            Some(polled)
        } else {
            self.futures.borrow_mut()[which].replace(polled)
        };
        if let Some(dropped) = replaced {
            self.model
                .borrow_mut()
                .saved
                .remove(&Owner::Future(dropped.base));
            drop(dropped);
        }
    }

    fn future(&'a self) -> Future_<'a> {
        let (base, context) = self.context();
        let script = Script::default();
        let steps = script.clone();
        let future = std::future::poll_fn(move |_| {
            self.check();
            let steps = std::mem::take(&mut *steps.borrow_mut());
            self.run(&steps);
            Poll::Pending
        });
        Future_ {
            base,
            script,
            future: Box::pin(future.in_context(context)),
        }
    }

    fn task(&'a self, which: usize, steps: &[Step], end: bool) {
        let taken = self.tasks.borrow_mut()[which].take();
        let mut task = taken.unwrap_or_else(|| {
            let (base, context) = self.context();
            Task {
                base,
                context,
                saved: SavedScopes::new(),
            }
        });
        self.model
            .borrow_mut()
            .enter(task.base, Owner::Task(task.base));
        {
            let _poll = Frame::resume(&task.context, &mut task.saved);
            self.check();
            self.run(steps);
        }
        self.model.borrow_mut().leave(Owner::Task(task.base));
        self.check();
        let replaced = match end {
            true => Some(task),
            false => self.tasks.borrow_mut()[which].replace(task),
        };
        if let Some(dropped) = replaced {
            self.model
                .borrow_mut()
                .saved
                .remove(&Owner::Task(dropped.base));
            drop(dropped);
        }
    }
}

fn run(steps: &[Step]) {
    let alive = Arc::new(AtomicUsize::new(0));
    let before = slot::raw();
    {
        let machine = Machine {
            model: RefCell::default(),
            held: RefCell::default(),
            futures: RefCell::default(),
            tasks: RefCell::default(),
            next: AtomicUsize::new(0),
            alive: alive.clone(),
        };
        // SAFETY: the futures borrow the machine and are dropped before it, below.
        let pinned: &Machine<'_> = unsafe { &*std::ptr::from_ref(&machine) };
        pinned.model.borrow_mut().frames.push(ModelFrame::default());
        let (base, context) = pinned.context();
        with_context(context, || {
            pinned.model.borrow_mut().enter(base, Owner::Closure);
            pinned.run(steps);
        });
        pinned.model.borrow_mut().leave(Owner::Closure);
        pinned.check();
        drop(std::mem::take(&mut *pinned.futures.borrow_mut()));
        drop(std::mem::take(&mut *pinned.tasks.borrow_mut()));
        drop(std::mem::take(&mut *pinned.held.borrow_mut()));
        pinned.check();
    }
    assert_eq!(slot::raw(), before);
    assert_eq!(alive.load(Ordering::SeqCst), 0, "Contexts left");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 800, failure_persistence: None, ..Default::default() })]
    #[test]
    fn any_program_sees_what_the_model_says(steps in steps()) {
        run(&steps);
    }
}
