//! kameo: creation and supervision. An actor starts in its creator's Context, its failure is dealt with in
//! that of the message it failed with, and afterwards it is tied to nobody.

#![cfg(feature = "kameo")]

mod stage;
mod witness;

use std::ops::ControlFlow;

use kameo::actor::{ActorId, ActorRef, Spawn as _, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible, PanicError};
use kameo::message::{Context, Message};
use kameo::supervision::RestartPolicy;
use kameo::Actor;
use kamon::kameo::{
    ActorExt as _, ActorRefExt as _, PreparedActorExt as _, SupervisedActorExt as _,
};

use crate::stage::{as_request, diary, everywhere, in_request, Pen};
use crate::witness::{pause, quiet_panic, Tally};

/// An actor that notes its life.
#[derive(Clone)]
struct Worker {
    name: &'static str,
    pen: Pen,
    /// Goes on after failures, and after those of others.
    hardy: bool,
    /// Panics when it hears of one.
    shocked: bool,
}

impl Worker {
    fn note(&self, what: &str) {
        self.pen.note(format!("{} {what}", self.name));
    }

    fn decide(&self, reason: ActorStopReason) -> ControlFlow<ActorStopReason> {
        match self.hardy {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(reason),
        }
    }
}

#[kamon::kameo::actor]
impl Actor for Worker {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(worker: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        pause().await;
        worker.note("starts");
        Ok(worker)
    }

    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        error: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        pause().await;
        self.note("fails");
        Ok(self.decide(ActorStopReason::Panicked(error)))
    }

    // Not an `async fn`, which is allowed too.
    #[allow(clippy::manual_async_fn)]
    fn on_link_died(
        &mut self,
        _: WeakActorRef<Self>,
        id: ActorId,
        reason: ActorStopReason,
    ) -> impl std::future::Future<Output = Result<ControlFlow<ActorStopReason>, Infallible>> + Send
    {
        async move {
            pause().await;
            self.note("hears");
            if self.shocked {
                quiet_panic("planned");
            }
            let reason = Box::new(reason);
            Ok(self.decide(ActorStopReason::LinkDied { id, reason }))
        }
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Self>,
        _: ActorStopReason,
    ) -> Result<(), Infallible> {
        pause().await;
        self.note("stops");
        Ok(())
    }
}

struct Note(&'static str);

impl Message<Note> for Worker {
    type Reply = ();

    async fn handle(&mut self, Note(what): Note, _: &mut Context<Self, ()>) {
        self.note(what);
    }
}

struct Panic;

impl Message<Panic> for Worker {
    type Reply = ();

    async fn handle(&mut self, _: Panic, _: &mut Context<Self, ()>) {
        pause().await;
        quiet_panic("planned")
    }
}

struct Refuse;

impl Message<Refuse> for Worker {
    type Reply = Result<(), String>;

    async fn handle(&mut self, _: Refuse, _: &mut Context<Self, Self::Reply>) -> Self::Reply {
        Err("planned".into())
    }
}

/// Makes the actor start another one.
struct Hire(Worker);

impl Message<Hire> for Worker {
    type Reply = ();

    async fn handle(&mut self, Hire(worker): Hire, _: &mut Context<Self, ()>) {
        Worker::spawn_ctx(worker);
    }
}

fn worker(name: &'static str, pen: &Pen) -> Worker {
    Worker {
        name,
        pen: pen.clone(),
        hardy: false,
        shocked: false,
    }
}

fn hardy(name: &'static str, pen: &Pen) -> Worker {
    Worker {
        hardy: true,
        ..worker(name, pen)
    }
}

#[test]
fn an_actor_starts_in_its_creators_context_and_is_tied_to_nobody() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        let create = || Worker::spawn_ctx(worker("w", &pen));
        let actor = kamon::with_context(tally.request(1), create);
        diary.expect("w starts", 1).await;
        tally.gone().await;
        actor.tell(Note("plain")).await.unwrap();
        diary.expect("w plain", 0).await;

        let other = worker("other", &pen);
        as_request(2, || actor.tell_ctx(Hire(other)).try_send()).unwrap();
        diary.expect("other starts", 2).await;
        diary.expect("other stops", 0).await;
        actor.stop_gracefully().await.unwrap();
        diary.expect("w stops", 0).await;
    });
}

#[test]
fn an_actor_that_never_starts_leaves_nothing() {
    let (tally, (pen, _diary)) = (Tally::new(), diary());
    let runtime = witness::workers(0);
    runtime.block_on(async {
        let create = || Worker::spawn_ctx(worker("w", &pen));
        drop(kamon::with_context(tally.request(1), create));
    });
    runtime.shut_down();
    assert_eq!(tally.alive(), 0);
}

#[test]
fn a_supervised_actor_that_never_starts_leaves_nothing() {
    let (tally, (pen, _diary)) = (Tally::new(), diary());
    let hired = async || {
        let boss = Worker::spawn(worker("boss", &pen));
        let actor = Worker::supervise(&boss, worker("w", &pen));
        let actor = kamon::with_context(tally.request(1), || actor.spawn_ctx()).await;
        (boss, actor)
    };

    // Nobody's turn comes before this one's end.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let actors = runtime.block_on(hired());
    assert_eq!(tally.alive(), 1, "it waits for its turn");
    drop(runtime);
    assert_eq!(tally.alive(), 0);
    drop(actors);

    let runtime = witness::workers(0);
    let actors = runtime.block_on(hired());
    runtime.shut_down();
    assert_eq!(tally.alive(), 0);
    drop(actors);
}

#[test]
fn prepared_and_supervised_actors_do_too() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let boss = Worker::spawn_ctx(hardy("boss", &pen));
        diary.expect("boss starts", 0).await;

        let prepared = Worker::prepare();
        prepared.actor_ref().link(&boss).await;
        let first = as_request(1, || prepared.spawn_ctx(worker("first", &pen)));
        diary.expect("first starts", 1).await;

        let second = Worker::supervise(&boss, worker("second", &pen));
        let second = as_request(2, || second.spawn_ctx()).await;
        diary.expect("second starts", 2).await;
        second.tell(Note("plain")).await.unwrap();
        diary.expect("second plain", 0).await;
        drop(first);
    });
}

#[test]
fn an_actor_decides_on_its_failure_in_the_failing_context_and_goes_on_in_none() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        let actor = Worker::spawn_ctx(hardy("w", &pen));
        diary.expect("w starts", 0).await;
        let fail = || actor.tell_ctx(Panic).try_send();
        kamon::with_context(tally.request(1), fail).unwrap();
        diary.expect("w fails", 1).await;
        actor.tell(Note("plain")).await.unwrap();
        diary.expect("w plain", 0).await;
        assert_eq!(tally.alive(), 0, "nothing is left of the request");

        as_request(2, || actor.tell_ctx(Refuse).try_send()).unwrap();
        diary.expect("w fails", 2).await;
        actor.tell(Refuse).await.unwrap();
        diary.expect("w fails", 0).await;
        let refused = in_request(3, async { actor.ask_ctx(Refuse).await }).await;
        assert!(
            refused.is_err(),
            "the asker is told, and the actor has not failed"
        );
        actor.tell(Note("plain")).await.unwrap();
        diary.expect("w plain", 0).await;
    });
}

#[test]
fn a_restart_runs_in_the_failing_context() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        let boss = Worker::spawn_ctx(hardy("boss", &pen));
        diary.expect("boss starts", 0).await;
        let actor = Worker::supervise(&boss, worker("w", &pen))
            .restart_policy(RestartPolicy::Permanent)
            .spawn_ctx()
            .await;
        diary.expect("w starts", 0).await;
        for request in 1..=3 {
            let fail = || actor.tell_ctx(Panic).try_send();
            kamon::with_context(tally.request(request), fail).unwrap();
            diary.expect("w fails", request).await;
            diary
                .expect_all(&[("w stops", request), ("w starts", request)])
                .await;
            actor.tell(Note("plain")).await.unwrap();
            diary.expect("w plain", 0).await;
            tally.gone().await;
        }
    });
}

/// With a boss that is shocked or not, and all that is noted of a failure below it.
fn escalates(shocked: bool, noted: &[&str]) {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let owner = Worker::spawn_ctx(hardy("owner", &pen));
        diary.expect("owner starts", 0).await;
        let boss = Worker {
            shocked,
            ..worker("boss", &pen)
        };
        let boss = Worker::supervise(&owner, boss)
            .restart_policy(RestartPolicy::Never)
            .spawn_ctx()
            .await;
        diary.expect("boss starts", 0).await;
        let actor = Worker::supervise(&boss, worker("w", &pen))
            .restart_policy(RestartPolicy::Never)
            .spawn_ctx()
            .await;
        diary.expect("w starts", 0).await;
        as_request(7, || actor.tell_ctx(Panic).try_send()).unwrap();
        let all: Vec<_> = noted.iter().map(|what| (*what, 7)).collect();
        diary.expect_all(&all).await;
        owner.tell(Note("plain")).await.unwrap();
        diary.expect("owner plain", 0).await;
    });
}

#[test]
fn escalation_runs_in_the_failing_context_however_far_it_goes() {
    let noted = [
        "w fails",
        "w stops",
        "boss hears",
        "boss stops",
        "owner hears",
    ];
    escalates(false, &noted);
}

#[test]
fn a_panic_over_a_death_is_a_failure_in_the_same_context() {
    let noted = [
        "w fails",
        "w stops",
        "boss hears",
        "boss fails",
        "boss stops",
        "owner hears",
    ];
    escalates(true, &noted);
}

#[test]
fn linked_actors_hear_of_it_in_the_failing_context() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let first = Worker::spawn_ctx(worker("first", &pen));
        diary.expect("first starts", 0).await;
        let second = Worker::spawn_ctx(hardy("second", &pen));
        diary.expect("second starts", 0).await;
        first.link(&second).await;
        as_request(5, || first.tell_ctx(Panic).try_send()).unwrap();
        diary.expect("first fails", 5).await;
        diary
            .expect_all(&[("first stops", 5), ("second hears", 5)])
            .await;
        second.tell(Note("plain")).await.unwrap();
        diary.expect("second plain", 0).await;
    });
}

/// An actor with none of the hooks, and parameters.
#[derive(kamon::kameo::Actor, Clone)]
struct Plain<T: Send + 'static>(#[allow(dead_code)] T);

impl<T: Send + 'static> Message<Panic> for Plain<T> {
    type Reply = ();

    async fn handle(&mut self, _: Panic, _: &mut Context<Self, ()>) {
        quiet_panic("planned")
    }
}

#[test]
fn without_hooks_an_actor_does_what_kameo_does() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let boss = Worker::spawn_ctx(hardy("boss", &pen));
        diary.expect("boss starts", 0).await;
        let middle = Plain::supervise(&boss, Plain("middle"))
            .restart_policy(RestartPolicy::Never)
            .spawn_ctx()
            .await;
        let actor = Plain::supervise(&middle, Plain(17))
            .restart_policy(RestartPolicy::Never)
            .spawn_ctx()
            .await;
        as_request(9, || actor.tell_ctx(Panic).try_send()).unwrap();
        diary.expect("boss hears", 9).await;
        let reason = middle.wait_for_shutdown_result().await.unwrap();
        assert!(
            matches!(reason, ActorStopReason::LinkDied { .. }),
            "{reason:?}"
        );
    });
}
