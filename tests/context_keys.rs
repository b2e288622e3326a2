//! Rule 8, and what keys and Contexts are: defaults, overriding, taking out, identity, equality.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::atomic::{AtomicUsize, Ordering};

use kamon::{Context, Key};

static USER_ID: Key<String> = Key::local("userID", || "undefined".into());
static SESSION_ID: Key<Option<i32>> = Key::broadcast("sessionID", || None);
static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("requestID");
static TX: Key<Option<u8>> = Key::local("tx", || None).not_inherited();

fn message(panic: Box<dyn std::any::Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast_ref::<&str>().expect("a message").to_string(),
    }
}

#[test]
fn a_key_knows_what_it_is() {
    assert_eq!(USER_ID.name(), "userID");
    assert!(!USER_ID.is_broadcast() && USER_ID.is_inherited());
    assert!(SESSION_ID.is_broadcast() && SESSION_ID.is_inherited());
    assert!(REQUEST_ID.is_broadcast());
    assert!(!TX.is_inherited());
    let shown = format!("{SESSION_ID:?}");
    assert!(
        shown.contains("sessionID") && shown.contains("Option<i32>"),
        "{shown}"
    );
}

#[test]
fn an_absent_key_shows_its_default() {
    let empty = Context::empty();
    assert!(empty.is_empty());
    assert_eq!(empty.get(&USER_ID), "undefined");
    assert_eq!(empty.get(&SESSION_ID), &None);
    assert_eq!(empty.get(&REQUEST_ID), &None);
    assert!(!empty.contains(&USER_ID));
    assert_eq!(Context::default(), empty);
}

#[test]
fn with_key_adds_and_overrides_and_leaves_the_original() {
    let one = Context::empty().with_key(&USER_ID, "1234".into());
    let two = one
        .with_key(&SESSION_ID, Some(42))
        .with_key(&REQUEST_ID, Some("abc".into()));
    let three = two.with_key(&USER_ID, "5678".into());
    assert_eq!(one.get(&USER_ID), "1234");
    assert!(!one.contains(&SESSION_ID));
    assert_eq!(
        (two.get(&USER_ID).as_str(), two.get(&SESSION_ID)),
        ("1234", &Some(42))
    );
    assert_eq!(
        (three.get(&USER_ID).as_str(), three.get(&SESSION_ID)),
        ("5678", &Some(42))
    );
    assert_eq!(three.get(&REQUEST_ID).as_deref(), Some("abc"));
}

#[test]
fn without_key_takes_out_one() {
    let both = Context::empty()
        .with_key(&USER_ID, "1234".into())
        .with_key(&SESSION_ID, Some(42));
    let session = both.without_key(&USER_ID);
    assert_eq!(session.get(&USER_ID), "undefined");
    assert_eq!(session.get(&SESSION_ID), &Some(42));
    assert!(session.without_key(&SESSION_ID).is_empty());
    assert_eq!(session.without_key(&USER_ID), session, "absent already");
    assert!(Context::empty().without_key(&USER_ID).is_empty());
    assert_eq!(both.get(&USER_ID), "1234");
}

#[test]
fn a_default_that_is_put_in_is_there() {
    let context = Context::empty().with_key(&SESSION_ID, None);
    assert!(context.contains(&SESSION_ID) && !context.is_empty());
}

#[test]
fn contexts_are_equal_when_they_have_the_same_entries() {
    let user = Context::empty().with_key(&USER_ID, "1234".into());
    let both = user.with_key(&SESSION_ID, Some(42));
    assert_eq!(both, both.clone());
    assert_ne!(both, user);
    assert_ne!(user, Context::empty());
    assert_eq!(
        both.without_key(&SESSION_ID),
        user,
        "the same entry, in other memory"
    );
    assert_ne!(
        user,
        Context::empty().with_key(&USER_ID, "1234".into()),
        "put in by another call"
    );
    let one_way = user.with_key(&TX, Some(1)).without_key(&USER_ID);
    assert_ne!(one_way, user);
    assert_eq!(one_way.get(&TX), &Some(1));
}

#[test]
fn debug_shows_names_and_no_values() {
    static SECRET: Key<String> = Key::local("password", String::new);
    let context = Context::empty()
        .with_key(&SECRET, "hunter2".into())
        .with_key(&TX, Some(1));
    assert_eq!(format!("{context:?}"), r#"Context{"tx", "password"}"#);
    assert_eq!(format!("{:?}", Context::empty()), "Context{}");
}

#[test]
fn many_keys_are_found_in_any_order() {
    let keys: Vec<Key<usize>> = (0..51)
        .map(|index| {
            Key::local(Box::leak(format!("many {index}").into_boxed_str()), || {
                usize::MAX
            })
        })
        .collect();
    let mut context = Context::empty();
    for (index, key) in keys.iter().enumerate() {
        context = context.with_key(key, index);
    }
    for (index, key) in keys.iter().enumerate().step_by(7) {
        context = context
            .with_key(key, index + 1000)
            .without_key(&keys[index + 1]);
    }
    for (index, key) in keys.iter().enumerate() {
        let expected = match index % 7 {
            0 => index + 1000,
            1 => usize::MAX,
            _ => index,
        };
        assert_eq!(*context.get(key), expected, "key {index}");
    }
}

#[test]
fn rule_8_name_and_type_make_the_key() {
    static HERE: Key<u32> = Key::local("rule 8 same", || 1);
    static THERE: Key<u32> = Key::local("rule 8 same", || 2);
    let context = Context::empty().with_key(&HERE, 7);
    assert_eq!(context.get(&THERE), &7);
    let made_up = Key::<u32>::broadcast("rule 8 same", || 3);
    assert_eq!(context.get(&made_up), &7);
    assert_eq!(context.with_key(&made_up, 8).get(&HERE), &8);
    assert!(context.without_key(&THERE).is_empty());
    assert_eq!(
        (Context::empty().get(&HERE), Context::empty().get(&THERE)),
        (&1, &2)
    );
}

#[test]
fn rule_8_a_second_type_panics_at_first_use() {
    static FIRST: Key<u32> = Key::local("rule 8 conflict", || 1);
    static SECOND: Key<Option<String>> = Key::broadcast_string("rule 8 conflict");
    let context = Context::empty().with_key(&FIRST, 7);
    type Use = (&'static str, fn(&Context));
    let uses: [Use; 4] = [
        ("get", |context| drop(context.get(&SECOND).clone())),
        ("contains", |context| assert!(context.contains(&SECOND))),
        ("with_key", |context| drop(context.with_key(&SECOND, None))),
        ("without_key", |context| drop(context.without_key(&SECOND))),
    ];
    for (name, use_it) in uses {
        for context in [&context, &Context::empty()] {
            let panic = catch_unwind(AssertUnwindSafe(|| use_it(context))).unwrap_err();
            let message = message(panic);
            assert!(message.contains("rule 8 conflict"), "{name}: {message}");
            assert!(message.contains("`u32`"), "{name}: {message}");
            assert!(
                message.contains("Option<alloc::string::String>"),
                "{name}: {message}"
            );
        }
    }
    assert_eq!(
        context.get(&FIRST),
        &7,
        "the first key is as good as before"
    );
}

#[test]
fn a_default_is_made_once_and_a_panic_in_it_is_that_calls_own() {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    static KEY: Key<String> = Key::local("default calls", || {
        match CALLS.fetch_add(1, Ordering::SeqCst) {
            0 => panic!("not yet"),
            calls => calls.to_string(),
        }
    });
    let panic = catch_unwind(|| Context::empty().get(&KEY).clone()).unwrap_err();
    assert_eq!(message(panic), "not yet");
    let empty = Context::empty();
    let first = empty.get(&KEY);
    assert_eq!(first, "1");
    assert!(std::ptr::eq(first, empty.get(&KEY)));
    let seen: Vec<_> = std::thread::scope(|scope| {
        let threads = [(); 4].map(|()| scope.spawn(|| Context::empty().get(&KEY).clone()));
        threads.map(|thread| thread.join().unwrap()).into()
    });
    assert_eq!(seen, ["1"; 4]);
    assert_eq!(CALLS.load(Ordering::SeqCst), 2);
}

#[test]
fn a_value_may_hold_a_context() {
    static OUTER: Key<Context> = Key::local("outer", Context::empty);
    let inner = Context::empty().with_key(&USER_ID, "1234".into());
    let outer = Context::empty().with_key(&OUTER, inner);
    assert_eq!(outer.get(&OUTER).get(&USER_ID), "1234");
}

#[test]
fn contexts_and_keys_go_everywhere() {
    fn everywhere<T: Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe + 'static>() {
    }
    everywhere::<Context>();
    everywhere::<Key<String>>();
    assert_eq!(size_of::<Context>(), size_of::<usize>());
}
