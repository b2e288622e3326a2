//! What a program is, and how one is drawn.

use std::sync::Arc;

/// One step of a task or of a part of it. Numbers are those of Contexts; each occurs once.
#[derive(Debug)]
pub(crate) enum Step {
    /// Yields so many times.
    Pause(u8),
    /// Waits for the clock.
    Sleep,
    /// Opens Scopes and closes them in this order.
    Scopes { open: Vec<u32>, close: Vec<usize> },
    /// Opens a Scope and forgets it.
    Forget(u32),
    /// A closure in a Context.
    Closure { number: u32, open: Vec<u32> },
    /// A future in a Context, awaited.
    Inside { number: u32, steps: Steps },
    /// The same, but not for long.
    Timeout {
        number: u32,
        millis: u64,
        steps: Steps,
    },
    /// A task.
    Child {
        origin: Origin,
        fate: Fate,
        steps: Steps,
    },
    /// Tasks in a `JoinSet`.
    Set { fate: Fate, tasks: Vec<Steps> },
    /// A closure that blocks, with a `block_on` in it.
    Blocking { fate: Fate, steps: Steps },
    /// A local task in a Scope of its own, on a set of its own, on a thread that blocks.
    Local {
        number: u32,
        fate: Fate,
        steps: Steps,
    },
    /// A timer callback that spawns a task.
    Timer {
        millis: u64,
        fate: Fate,
        steps: Steps,
    },
    /// Panics.
    Panic,
}

pub(crate) type Steps = Arc<[Step]>;

/// Where a task's Context comes from.
#[derive(Debug)]
pub(crate) enum Origin {
    Inherited,
    Given(u32),
    Empty,
    /// A task of Empty, whose future brings along what is current.
    Carried,
}

/// What is done with a task.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Fate {
    Join,
    Detach,
    /// Aborted after so many yields, and joined.
    Abort(u8),
    /// Aborted after so many yields, and not waited for.
    Leave(u8),
}

/// Draws a program: the steps of its root.
pub(crate) fn program(seed: u64) -> Steps {
    let mut draw = Draw {
        random: fastrand::Rng::with_seed(seed),
        number: 0,
        left: 120,
    };
    draw.steps(0)
}

struct Draw {
    random: fastrand::Rng,
    /// The last number that was used.
    number: u32,
    /// How many steps there may still be.
    left: usize,
}

impl Draw {
    fn steps(&mut self, depth: usize) -> Steps {
        let most = if depth == 0 { 12 } else { 5 };
        let wanted = self.random.usize(1..=most);
        let mut steps = Vec::new();
        for _ in 0..wanted {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            steps.push(self.step(depth));
        }
        steps.into()
    }

    fn step(&mut self, depth: usize) -> Step {
        let simple = if depth >= 5 { 5 } else { 14 };
        match self.random.u32(0..simple) {
            0 => Step::Pause(self.random.u8(1..4)),
            1 => self.scopes(),
            2 => Step::Forget(self.number()),
            3 => Step::Closure {
                number: self.number(),
                open: self.numbers(),
            },
            // Seldom at the beginning, or little would come after.
            4 if depth > 0 && self.random.u32(0..3) == 0 => Step::Panic,
            4 => Step::Sleep,
            5 => Step::Inside {
                number: self.number(),
                steps: self.steps(depth + 1),
            },
            6 => Step::Timeout {
                number: self.number(),
                millis: self.random.u64(0..3),
                steps: self.steps(depth + 1),
            },
            7..=9 => Step::Child {
                origin: self.origin(),
                fate: self.fate(),
                steps: self.steps(depth + 1),
            },
            10 => Step::Set {
                fate: self.fate(),
                tasks: (0..self.random.usize(1..5))
                    .map(|_| self.steps(depth + 1))
                    .collect(),
            },
            11 => Step::Blocking {
                fate: self.fate(),
                steps: self.steps(depth + 1),
            },
            12 => Step::Local {
                number: self.number(),
                fate: self.fate(),
                steps: self.steps(depth + 1),
            },
            _ => Step::Timer {
                millis: self.random.u64(0..3),
                fate: self.fate(),
                steps: self.steps(depth + 1),
            },
        }
    }

    fn scopes(&mut self) -> Step {
        let open = self.numbers();
        let mut close: Vec<usize> = (0..open.len()).collect();
        self.random.shuffle(&mut close);
        Step::Scopes { open, close }
    }

    fn origin(&mut self) -> Origin {
        match self.random.u32(0..5) {
            0 => Origin::Given(self.number()),
            1 => Origin::Empty,
            2 => Origin::Carried,
            _ => Origin::Inherited,
        }
    }

    fn fate(&mut self) -> Fate {
        match self.random.u32(0..6) {
            0 => Fate::Detach,
            1 => Fate::Abort(self.random.u8(0..6)),
            2 => Fate::Leave(self.random.u8(0..6)),
            _ => Fate::Join,
        }
    }

    fn number(&mut self) -> u32 {
        self.number += 1;
        self.number
    }

    fn numbers(&mut self) -> Vec<u32> {
        (0..self.random.usize(0..4))
            .map(|_| self.number())
            .collect()
    }
}
