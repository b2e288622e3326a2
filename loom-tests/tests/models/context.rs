//! The memory of Contexts: shown, kept, dropped once, by whichever thread is the last.

use kamon_loomed::{current_context, with_context, Key};
use loom::cell::UnsafeCell;

use crate::model::check_bounded;
use crate::model::house::beside;
use crate::model::witness::{expect, know, request};

/// A value that is read by who holds it. Its destructor writes, and looks at the current Context.
struct Curious(UnsafeCell<()>);

// SAFETY: whether the accesses are ordered is what loom finds out.
unsafe impl Send for Curious {}
// SAFETY: as above.
unsafe impl Sync for Curious {}

impl Curious {
    fn new() -> Option<Curious> {
        Some(Curious(UnsafeCell::new(())))
    }

    fn read(&self) {
        self.0.with(|_| ());
    }
}

impl Drop for Curious {
    fn drop(&mut self) {
        self.0.with_mut(|_| ());
        // The oracle of the models panics if that one is gone.
        let _ = current_context();
    }
}

static VALUE: Key<Option<Curious>> = Key::local("value", || None);
static OTHER: Key<u32> = Key::local("other", || 0);

/// Three threads hold clones and Contexts made from them, and let go in any order.
#[test]
fn the_last_holder_drops_the_value() {
    know(&VALUE);
    know(&OTHER);
    check_bounded("the_last_holder_drops_the_value", 3, || {
        let first = request(1).with_key(&VALUE, Curious::new());
        let (second, third) = (first.clone(), first.clone());
        let one = beside(2001, move || {
            let above = second.with_key(&OTHER, 1);
            drop(second);
            with_context(above, || {
                let here = current_context();
                expect(*here.get(&OTHER) == 1, "its own value");
                here.get(&VALUE)
                    .as_ref()
                    .into_iter()
                    .for_each(Curious::read);
            });
        });
        let two = beside(2002, move || {
            third
                .get(&VALUE)
                .as_ref()
                .into_iter()
                .for_each(Curious::read);
            let without = third.without_key(&VALUE);
            drop(third);
            expect(!without.contains(&VALUE), "taken out");
        });
        let over = first.with_key(&VALUE, None);
        drop(first);
        drop(over);
        one.join().unwrap();
        two.join().unwrap();
    });
}
