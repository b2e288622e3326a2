//! Keys are the same key when name and type agree, on whichever threads they are first used.

use std::sync::atomic::{AtomicUsize, Ordering};

use kamon_loomed::{Context, Key};
use loom::thread;

use crate::model::check_bounded;
use crate::model::witness::{expect, expect_panics_of};

/// A name that no execution has used: names are never forgotten.
fn fresh_name() -> &'static str {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    Box::leak(format!("key {}", NEXT.fetch_add(1, Ordering::Relaxed)).into_boxed_str())
}

/// Two threads use two keys of the same name and type, which nobody has used before.
#[test]
fn threads_agree_on_a_new_key() {
    check_bounded("threads_agree_on_a_new_key", 3, || {
        let name = fresh_name();
        let one = thread::spawn(move || {
            let one: Key<u32> = Key::local(name, || 0);
            Context::empty().with_key(&one, 1)
        });
        let two: Key<u32> = Key::local(name, || 0);
        let mine = Context::empty().with_key(&two, 2);
        let theirs = one.join().unwrap();
        expect(
            *theirs.get(&two) == 1,
            "what one key has put in, the other finds",
        );
        expect(*mine.get(&two) == 2, "a key finds its own value");
    });
}

/// Two threads use two keys of one name and different types: the second is told so.
#[test]
fn one_of_two_types_is_refused() {
    expect_panics_of("a second key of that name");
    check_bounded("one_of_two_types_is_refused", 3, || {
        let name = fresh_name();
        let refused = |outcome: std::thread::Result<()>| usize::from(outcome.is_err());
        let one = thread::spawn(move || {
            let key: Key<u32> = Key::local(name, || 0);
            std::panic::catch_unwind(|| drop(Context::empty().with_key(&key, 1)))
        });
        let key: Key<i64> = Key::local(name, || 0);
        let mine = std::panic::catch_unwind(|| drop(Context::empty().with_key(&key, 1)));
        let theirs = one.join().unwrap();
        expect(
            refused(mine) + refused(theirs) == 1,
            "one of them is refused, and not both",
        );
    });
}
