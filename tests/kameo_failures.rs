//! kameo: failures of the methods that are no handlers. They too are counted, and dealt with in the Context
//! they come from.

#![cfg(feature = "kameo")]

mod stage;
mod witness;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::time::Duration;

use kameo::actor::{ActorRef, Spawn as _, WeakActorRef};
use kameo::error::ActorStopReason;
use kameo::message::{Context, Message};
use kameo::supervision::RestartPolicy;
use kameo::Actor;
use kamon::kameo::{ActorExt as _, ActorRefExt as _, SupervisedActorExt as _};
use kamon::metrics::{subscribe, Value};

use crate::stage::{as_request, diary, everywhere, Pen};
use crate::witness::{pause, quiet_panic};

const NEVER: Duration = Duration::from_secs(86_400);

/// An actor that looks after others.
#[derive(kamon::kameo::Actor)]
struct Boss;

/// An actor whose second start fails.
#[derive(Clone)]
struct Late {
    pen: Pen,
    starts: Arc<AtomicUsize>,
}

#[kamon::kameo::actor]
impl Actor for Late {
    type Args = Self;
    type Error = &'static str;

    async fn on_start(late: Self, _: ActorRef<Self>) -> Result<Self, Self::Error> {
        if late.starts.fetch_add(1, Ordering::Relaxed) == 1 {
            late.pen.note("does not start");
            return Err("planned");
        }
        late.pen.note("starts");
        Ok(late)
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Self>,
        _: ActorStopReason,
    ) -> Result<(), Self::Error> {
        self.pen.note("stops");
        Ok(())
    }
}

struct Panic;

impl Message<Panic> for Late {
    type Reply = ();

    async fn handle(&mut self, _: Panic, _: &mut Context<Self, ()>) {
        quiet_panic("planned")
    }
}

#[test]
fn a_start_that_failed_is_over_when_the_next_one_has_not() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let starts = Arc::default();
        let boss = Boss::spawn_ctx(Boss);
        let late = Late::supervise(&boss, Late { pen, starts })
            .restart_policy(RestartPolicy::Permanent)
            .spawn_ctx()
            .await;
        diary.expect("starts", 0).await;
        as_request(1, || late.tell_ctx(Panic).try_send()).unwrap();
        diary
            .expect_all(&[("stops", 1), ("does not start", 1), ("starts", 1)])
            .await;
        as_request(2, || late.tell_ctx(Panic).try_send()).unwrap();
        diary.expect_all(&[("stops", 2), ("starts", 2)]).await;
        late.stop_gracefully().await.unwrap();
        diary.expect("stops", 0).await;
    });
}

/// An actor that never starts.
struct Stillborn;

#[kamon::kameo::actor]
impl Actor for Stillborn {
    type Args = bool;
    type Error = &'static str;

    fn name() -> &'static str {
        "Stillborn"
    }

    async fn on_start(panics: bool, _: ActorRef<Self>) -> Result<Self, Self::Error> {
        pause().await;
        match panics {
            true => quiet_panic("planned"),
            false => Err("planned"),
        }
    }
}

#[test]
fn an_actor_that_fails_to_start_is_counted() {
    let mut seen = subscribe("kameo.actor.errors", NEVER);
    kamon::block_on(async {
        for panics in [false, true] {
            Stillborn::spawn_ctx(panics).wait_for_startup().await;
        }
    });
    let period = seen.snapshot();
    let errors: u64 = period
        .named("kameo.actor.errors")
        .filter(|errors| {
            errors
                .tags()
                .iter()
                .any(|tag| tag == ("class", "Stillborn"))
        })
        .map(|errors| match errors.value() {
            Value::Count(count) => *count,
            other => panic!("no count: {other:?}"),
        })
        .sum();
    assert_eq!(errors, 2);
}
