//! What does not compile, and that the compiler says why; and what must.

use kamon::runtime::{EnterGuard, Handle, Runtime};
use kamon::task::{AbortHandle, Id, JoinError, JoinHandle, JoinSet};
use kamon::time::{Sleep, TimerHandle};
use kamon::{Context, Key, Scope};

// Once is enough, with the default features: the compiler is the same, and it builds everything anew.
#[cfg(all(feature = "tokio", not(feature = "http")))]
#[test]
fn rule_6_a_scope_across_await_is_not_spawned() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/spawn/*.rs");
}

/// Asserts whether types are `Send` and `Sync`.
macro_rules! assert_threads {
    ($($type:ty: $send:literal $sync:literal,)*) => {$({
        // An inherent constant goes before a trait's, where its bounds hold.
        #[allow(dead_code)]
        trait Not {
            const SEND: bool = false;
            const SYNC: bool = false;
        }
        impl<T: ?Sized> Not for Is<T> {}
        #[allow(dead_code)]
        struct Is<T: ?Sized>(std::marker::PhantomData<T>);
        #[allow(dead_code)]
        impl<T: ?Sized + Send> Is<T> {
            const SEND: bool = true;
        }
        #[allow(dead_code)]
        impl<T: ?Sized + Sync> Is<T> {
            const SYNC: bool = true;
        }
        let is = (<Is<$type>>::SEND, <Is<$type>>::SYNC);
        assert_eq!(is, ($send, $sync), "{}", stringify!($type));
    })*};
}

#[test]
fn what_may_go_to_other_threads() {
    type NotSync = std::cell::Cell<u8>;
    type NotSend = std::rc::Rc<u8>;
    assert_threads! {
        Context: true true,
        Key<String>: true true,
        JoinHandle<NotSync>: true true,
        JoinHandle<NotSend>: false false,
        JoinSet<NotSync>: true true,
        JoinError: true true,
        AbortHandle: true true,
        Id: true true,
        TimerHandle: true true,
        Sleep: true true,
        Runtime: true true,
        Handle: true true,
        kamon::runtime::RuntimeMetrics: true true,
        // Rule 5: a Scope belongs to its thread; so do those.
        Scope: false false,
        EnterGuard<'static>: false true,
        kamon::task::LocalSet: false false,
        kamon::task::LocalEnterGuard: false false,
    }
}
