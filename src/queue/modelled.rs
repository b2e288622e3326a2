//! Stand-ins that loom can see, with the interface of the real queues.

use std::collections::VecDeque;

use crate::sync::{Arc, Mutex};

/// Stand-in for the injector.
pub(crate) struct Injector<T> {
    state: Mutex<(bool, VecDeque<T>)>,
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Injector { state: Mutex::new((false, VecDeque::new())) }
    }

    pub(crate) fn push(&self, item: T) -> Result<(), T> {
        let mut state = self.state.lock();
        if state.0 {
            return Err(item);
        }
        state.1.push_back(item);
        Ok(())
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.state.lock().1.pop_front()
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().1.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn close(&self) {
        self.state.lock().0 = true;
    }
}

type Items<T> = Arc<Mutex<VecDeque<T>>>;

/// Stand-in for the worker's end of the deque.
pub(crate) struct LocalQueue<T>(Items<T>);

impl<T> LocalQueue<T> {
    pub(crate) fn new() -> Self {
        LocalQueue(Arc::new(Mutex::new(VecDeque::new())))
    }

    pub(crate) fn push(&self, item: T) {
        self.0.lock().push_back(item);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.lock().pop_front()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.lock().is_empty()
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }
}

/// Stand-in for the thieves' end of the deque.
pub(crate) struct Stealer<T>(Items<T>);

impl<T> Stealer<T> {
    pub(crate) fn steal_into(&self, into: &LocalQueue<T>) -> Option<T> {
        let mut stolen: VecDeque<T> = {
            let mut items = self.0.lock();
            let half = items.len().div_ceil(2);
            items.drain(..half).collect()
        };
        let first = stolen.pop_front();
        into.0.lock().extend(stolen);
        first
    }

    pub(crate) fn len(&self) -> usize {
        self.0.lock().len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
