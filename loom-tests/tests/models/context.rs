//! The memory of Contexts: shown, kept, dropped once, by whichever thread is the last.

use kamon_loomed::{current_context, with_context, Key};

use crate::model::check_bounded;
use crate::model::house::beside;
use crate::model::witness::{expect, know, request};

/// A value whose destructor looks at the current Context.
struct Curious;

impl Drop for Curious {
    fn drop(&mut self) {
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
        let first = request(1).with_key(&VALUE, Some(Curious));
        let (second, third) = (first.clone(), first.clone());
        let one = beside(2001, move || {
            let above = second.with_key(&OTHER, 1);
            drop(second);
            with_context(above, || {
                expect(*current_context().get(&OTHER) == 1, "its own value")
            });
        });
        let two = beside(2002, move || {
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
