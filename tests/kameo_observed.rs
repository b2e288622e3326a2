//! kameo: what is measured of actors, and the span of a message.

#![cfg(feature = "kameo")]

mod traced;
mod witness;

use std::future::Future;
use std::ops::ControlFlow;
use std::time::Duration;

use kameo::actor::{ActorRef, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible, PanicError};
use kameo::message::{Context, Message};
use kameo::Actor;
use kamon::kameo::{ActorExt as _, ActorRefExt as _, Instrumented as _};
use kamon::metrics::{subscribe, PeriodSnapshot, Value};
use kamon::{ContextFutureExt as _, Span};
use tokio::sync::oneshot;

use crate::traced::{assert_trace, record_of, trace_of};
use crate::witness::quiet_panic;

const NEVER: Duration = Duration::from_secs(86_400);

/// Goes on whatever happens.
struct Hardy;

#[kamon::kameo::actor]
impl Actor for Hardy {
    type Args = Self;
    type Error = Infallible;

    fn name() -> &'static str {
        "Hardy"
    }

    async fn on_start(hardy: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(hardy)
    }

    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        _: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        Ok(ControlFlow::Continue(()))
    }
}

struct Wait(oneshot::Receiver<()>);

impl Message<Wait> for Hardy {
    type Reply = ();

    async fn handle(&mut self, Wait(gate): Wait, _: &mut Context<Self, ()>) {
        gate.await.unwrap();
    }
}

struct Fail;

impl Message<Fail> for Hardy {
    type Reply = ();

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, ()>) {
        quiet_panic("planned")
    }
}

struct Count;

impl Message<Count> for Hardy {
    type Reply = u32;

    async fn handle(&mut self, _: Count, _: &mut Context<Self, u32>) -> u32 {
        1
    }
}

/// How often something was recorded of the class.
fn recorded(period: &PeriodSnapshot, name: &str, class: &str) -> u64 {
    let of_class: Vec<_> = period
        .named(name)
        .filter(|instrument| instrument.tags().iter().any(|tag| tag == ("class", class)))
        .collect();
    assert!(of_class.len() < 2, "one series for a class: {of_class:?}");
    match of_class.first().map(|instrument| instrument.value()) {
        Some(Value::Count(count)) => *count,
        Some(Value::Distribution(times)) => times.count(),
        Some(Value::Range(range)) => range.samples.max(),
        Some(other) => panic!("{name} is no {other:?}"),
        None => 0,
    }
}

#[test]
fn messages_are_measured_by_class() {
    let mut seen = subscribe("kameo.actor.*", NEVER);
    kamon::block_on(async {
        let actor = Hardy::spawn_ctx(Hardy);
        // What comes earlier is put aside, and kameo forgets the rest of that when one fails.
        actor.wait_for_startup().await;
        let (open, gate) = oneshot::channel();
        actor.tell_ctx(Wait(gate)).await.unwrap();
        for _ in 0..3 {
            actor.tell_ctx(Fail).await.unwrap();
        }
        let period = seen.snapshot();
        let waiting = recorded(&period, "kameo.actor.mailbox-size", "Hardy");
        assert!((3..=4).contains(&waiting), "{waiting} wait");
        open.send(()).unwrap();
        // The one after all of them.
        assert_eq!(actor.ask_ctx(Count).await.unwrap(), 1);
        assert_eq!(
            actor.ask(Count).await.unwrap(),
            1,
            "kameo's own is not measured"
        );
    });
    let period = seen.snapshot();
    let of = |name| recorded(&period, name, "Hardy");
    // What was finished before the first snapshot is in that.
    assert_eq!(of("kameo.actor.errors"), 3);
    assert_eq!(of("kameo.actor.processing-time"), 5);
    let began = of("kameo.actor.time-in-mailbox");
    assert!(
        (4..=5).contains(&began),
        "{began}: the first may have begun before"
    );
    let left = seen.snapshot();
    assert_eq!(recorded(&left, "kameo.actor.mailbox-size", "Hardy"), 0);
}

fn name<A: Actor>() -> &'static str {
    A::name()
}

/// A type of actors for each parameter, and a name: kameo's own default.
struct Pool<T>(T);

#[kamon::kameo::actor]
impl<T: Send + 'static> Actor for Pool<T> {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(pool: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(pool)
    }
}

impl<T: Send + 'static> Message<Count> for Pool<T> {
    type Reply = usize;

    async fn handle(&mut self, _: Count, _: &mut Context<Self, usize>) -> usize {
        size_of_val(&self.0)
    }
}

#[test]
fn actors_with_other_parameters_are_of_another_class() {
    async fn count<T: Send + 'static>(item: T, times: usize) {
        let pool = Pool::spawn_ctx(Pool(item));
        for _ in 0..times {
            assert_eq!(pool.ask_ctx(Count).await.unwrap(), size_of::<T>());
        }
        pool.stop_gracefully().await.unwrap();
        pool.wait_for_shutdown().await;
    }
    let mut seen = subscribe("kameo.actor.*", NEVER);
    kamon::block_on(async {
        count(1_u8, 1).await;
        count(1_u16, 2).await;
    });
    let period = seen.snapshot();
    let of = |class| recorded(&period, "kameo.actor.processing-time", class);
    assert_eq!(of(name::<Pool<u8>>()), 1);
    assert_eq!(of(name::<Pool<u16>>()), 2);
}

/// Its hook is in another build.
struct Elsewhere;

#[kamon::kameo::actor]
impl Actor for Elsewhere {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(elsewhere: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(elsewhere)
    }

    #[cfg(any())]
    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        _: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        Ok(ControlFlow::Continue(()))
    }
}

impl Message<Fail> for Elsewhere {
    type Reply = ();

    async fn handle(&mut self, _: Fail, _: &mut Context<Self, ()>) {
        quiet_panic("planned")
    }
}

#[test]
fn a_failure_is_measured_where_the_hook_is_left_out() {
    let mut seen = subscribe("kameo.actor.*", NEVER);
    kamon::block_on(async {
        let actor = Elsewhere::spawn_ctx(Elsewhere);
        actor.tell_ctx(Fail).await.unwrap();
        actor.wait_for_shutdown().await;
    });
    let period = seen.snapshot();
    let class = name::<Elsewhere>();
    assert_eq!(recorded(&period, "kameo.actor.errors", class), 1);
}

#[derive(kamon::kameo::Actor)]
#[actor(name = "shop.till", spans)]
struct Till;

#[test]
fn the_name_of_a_derived_actor_is_what_kameos_derive_says() {
    assert_eq!(name::<Link>(), "Link");
    assert_eq!(name::<Till>(), "shop.till");
    const { assert!(Till::SPANS) };
}

/// A chain of actors.
#[derive(kamon::kameo::Actor)]
#[actor(spans)]
struct Link {
    next: Option<ActorRef<Link>>,
}

struct Pull(&'static str);

impl Message<Pull> for Link {
    type Reply = u32;

    async fn handle(&mut self, pull: Pull, _: &mut Context<Self, u32>) -> u32 {
        if kamon::current_span().is_empty() {
            return 100;
        }
        kamon::current_span().mark("pulled");
        match &self.next {
            Some(next) => next.ask_ctx(pull).await.unwrap() + 1,
            None if pull.0 == "fail" => quiet_panic("planned"),
            None => 1,
        }
    }
}

/// What the handler does before it makes its future.
enum Early {
    Mark,
    Fail,
}

impl Message<Early> for Link {
    type Reply = ();

    #[allow(clippy::manual_async_fn)]
    fn handle(
        &mut self,
        early: Early,
        _: &mut Context<Self, ()>,
    ) -> impl Future<Output = ()> + Send {
        match early {
            Early::Mark => drop(kamon::current_span().mark("early")),
            Early::Fail => quiet_panic("planned"),
        }
        async {
            kamon::current_span().mark("later");
        }
    }
}

#[test]
fn all_that_a_handler_does_is_in_its_messages_span() {
    kamon::block_on(async {
        let only = Link::spawn_ctx(Link { next: None });
        let root = kamon::build_span("root").start();
        let asked = async {
            only.ask_ctx(Early::Mark).await.unwrap();
            only.ask_ctx(Early::Fail).await.unwrap_err();
        };
        asked.in_span(root.clone()).await;
        only.wait_for_shutdown().await;
        let expected = "\
            root
            ├─ ask(Early) {@span.started, @early, @later}
            └─ ask(Early) {@span.started}, failed, panicked";
        assert_trace(&root, expected);
    });
}

async fn pull(first: &ActorRef<Link>, what: &'static str) -> (Span, Result<u32, ()>) {
    let root = kamon::build_span("root").start();
    let asked = async { first.ask_ctx(Pull(what)).await };
    let answer = asked.in_span(root.clone()).await;
    (root, answer.map_err(drop))
}

#[test]
fn a_message_is_a_span_below_its_senders() {
    kamon::block_on(async {
        let last = Link::spawn_ctx(Link { next: None });
        let first = Link::spawn_ctx(Link {
            next: Some(last.clone()),
        });
        let (root, answer) = pull(&first, "a").await;
        assert_eq!(answer, Ok(2));
        // A message is done when the next one is answered.
        for link in [&first, &last] {
            let untraced = link.ask_ctx(Pull("untraced")).await.unwrap();
            assert_eq!(untraced, 100, "no span without a trace");
        }
        let expected = "\
            root
            └─ ask(Pull) {@span.started, @pulled}
               └─ ask(Pull) {@span.started, @pulled}";
        assert_trace(&root, expected);
    });
}

#[test]
fn a_message_that_fails_is_a_failed_span() {
    kamon::block_on(async {
        let only = Link::spawn_ctx(Link { next: None });
        let (root, answer) = pull(&only, "fail").await;
        assert_eq!(answer, Err(()));
        only.wait_for_shutdown().await;
        let spans = trace_of(&root);
        let asked = spans.iter().find(|span| span.operation == "ask(Pull)");
        assert!(asked.unwrap().failed, "{spans:?}");
        assert!(
            !record_of(&root).failed,
            "that is the message's, and not the asker's"
        );
    });
}
