//! A task that says it is finished has published all that it did. For the second level: at the
//! first one the word that says so is not loom's.

use kamon_loomed::with_context;
use loom::cell::UnsafeCell;
use loom::sync::Arc;

use crate::model::check;
use crate::model::house::workers;
use crate::model::witness::{expect, request};

/// What a destructor does, without any order of its own.
#[derive(Clone, Default)]
struct Trace(Arc<UnsafeCell<u32>>);

// SAFETY: whether the accesses are ordered is what loom finds out.
unsafe impl Send for Trace {}

struct LeavesTrace(Trace);

impl Drop for LeavesTrace {
    fn drop(&mut self) {
        self.0 .0.with_mut(|_| ());
    }
}

/// Whoever is told that a task is finished sees what its destructors did, without joining it.
#[test]
fn finished_means_that_the_drop_is_seen() {
    check("finished_means_that_the_drop_is_seen", || {
        let runtime = workers(1);
        let trace = Trace::default();
        let part = LeavesTrace(trace.clone());
        let task = with_context(request(1), || runtime.spawn(async move { drop(part) }));
        let abort = task.abort_handle();
        if abort.is_finished() {
            trace.0.with(|_| ());
        }
        drop(runtime);
        expect(abort.is_finished(), "nothing outlives its runtime");
        drop(task);
    });
}
