//! ractor: creation and supervision. An actor starts in its creator's Context, its failure is dealt with in
//! that of the message it failed with, and afterwards it is tied to nobody.

#![cfg(feature = "ractor")]

mod stage;
mod witness;

use std::future::Future;

use kamon::ractor::Traced;
use ractor::{cast, Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::stage::{as_request, diary, everywhere, in_request, Pen};
use crate::witness::{pause, quiet_panic, Tally};

#[derive(kamon::ractor::Message)]
enum Order {
    Note(&'static str),
    Panic,
    Refuse,
    /// Starts another actor below this one, and says which.
    Hire(&'static str, ractor::RpcReplyPort<ActorRef<Order>>),
    /// Sends the child an order.
    Pass(Box<Order>),
}

/// An actor that notes its life.
struct Worker {
    name: &'static str,
    pen: Pen,
    decision: Decision,
}

/// What it does when a child of its fails.
#[derive(Clone, Copy, PartialEq)]
enum Decision {
    Restart,
    Stop,
    Fail,
}

impl Worker {
    fn note(&self, what: &str) {
        self.pen.note(format!("{} {what}", self.name));
    }

    async fn hire(&self, name: &'static str, myself: &ActorRef<Order>) -> ActorRef<Order> {
        let child = Traced::new(Worker {
            name,
            pen: self.pen.clone(),
            decision: self.decision,
        });
        let child = Actor::spawn_linked(None, child, (), myself.get_cell()).await;
        child.unwrap().0
    }
}

impl Actor for Worker {
    type Msg = Order;
    type State = Option<ActorRef<Order>>;
    type Arguments = ();

    async fn pre_start(
        &self,
        _: ActorRef<Order>,
        _: (),
    ) -> Result<Self::State, ActorProcessingErr> {
        pause().await;
        self.note("starts");
        Ok(None)
    }

    async fn post_start(
        &self,
        _: ActorRef<Order>,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        pause().await;
        self.note("started");
        Ok(())
    }

    async fn post_stop(
        &self,
        _: ActorRef<Order>,
        _: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.note("stops");
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        child: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Note(what) => self.note(what),
            Order::Panic => {
                pause().await;
                quiet_panic("planned")
            }
            Order::Refuse => return Err("planned".into()),
            Order::Hire(name, answer) => {
                let hired = self.hire(name, &myself).await;
                *child = Some(hired.clone());
                answer.send(hired)?;
            }
            Order::Pass(order) => child.as_ref().unwrap().cast(*order)?,
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        child: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let (SupervisionEvent::ActorFailed(..) | SupervisionEvent::ActorTerminated(..)) = event
        else {
            return Ok(());
        };
        pause().await;
        self.note("hears");
        match self.decision {
            Decision::Restart => *child = Some(self.hire("again", &myself).await),
            Decision::Stop => myself.stop(None),
            Decision::Fail => return Err("escalated".into()),
        }
        Ok(())
    }
}

async fn worker(name: &'static str, pen: &Pen, decision: Decision) -> ActorRef<Order> {
    let actor = Traced::new(Worker {
        name,
        pen: pen.clone(),
        decision,
    });
    Actor::spawn(None, actor, ()).await.unwrap().0
}

#[test]
fn an_actor_starts_in_its_creators_context_and_is_tied_to_nobody() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        let spawn = || {
            let actor = Traced::new(Worker {
                name: "w",
                pen: pen.clone(),
                decision: Decision::Stop,
            });
            ractor::ActorRuntime::spawn_instant(None, actor, ()).unwrap()
        };
        // `spawn_instant` starts the actor in a task of its own.
        let (actor, handle) = kamon::with_context(tally.request(1), spawn);
        diary.expect("w starts", 1).await;
        diary.expect("w started", 1).await;
        tally.gone().await;
        in_request(2, async { cast!(actor, Order::Note("two")).unwrap() }).await;
        diary.expect("w two", 2).await;

        let hire = in_request(3, async {
            ractor::call!(actor, |port| Order::Hire("child", port))
        });
        hire.await.unwrap();
        diary.expect("child starts", 3).await;
        diary.expect("child started", 3).await;
        as_request(4, || actor.stop(None));
        diary.expect("w stops", 0).await;
        handle.await.unwrap().unwrap().await.unwrap();
    });
}

#[test]
fn a_restart_runs_in_the_failing_context() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        let boss = worker("boss", &pen, Decision::Restart).await;
        diary.expect("boss starts", 0).await;
        diary.expect("boss started", 0).await;
        ractor::call!(boss, |port| Order::Hire("child", port)).unwrap();
        diary.expect("child starts", 0).await;
        diary.expect("child started", 0).await;
        for request in 1..=4 {
            let order = match request % 2 {
                0 => Order::Panic,
                _ => Order::Refuse,
            };
            let pass = || cast!(boss, Order::Pass(Box::new(order)));
            kamon::with_context(tally.request(request), pass).unwrap();
            diary.expect("boss hears", request).await;
            diary.expect("again starts", request).await;
            diary.expect("again started", request).await;
            cast!(boss, Order::Pass(Box::new(Order::Note("plain")))).unwrap();
            diary.expect("again plain", 0).await;
            cast!(boss, Order::Note("plain")).unwrap();
            diary.expect("boss plain", 0).await;
            tally.gone().await;
        }
        boss.stop(None);
    });
}

#[test]
fn escalation_runs_in_the_failing_context_however_far_it_goes() {
    everywhere(|| async {
        for decision in [Decision::Stop, Decision::Fail] {
            let (tally, (pen, mut diary)) = (Tally::new(), diary());
            let owner = worker("owner", &pen, decision).await;
            let boss = ractor::call!(owner, |port| Order::Hire("boss", port)).unwrap();
            let child = ractor::call!(boss, |port| Order::Hire("child", port)).unwrap();
            for name in ["owner", "boss", "child"] {
                diary.expect(&format!("{name} starts"), 0).await;
                diary.expect(&format!("{name} started"), 0).await;
            }
            let fail = || cast!(child, Order::Panic);
            kamon::with_context(tally.request(7), fail).unwrap();
            diary.expect("boss hears", 7).await;
            if decision == Decision::Stop {
                diary.expect("boss stops", 7).await;
            }
            diary.expect("owner hears", 7).await;
            if decision == Decision::Stop {
                diary.expect("owner stops", 7).await;
            }
            tally.gone().await;
        }
    });
}

/// An actor whose methods do all they do before they make their futures.
struct Eager(Pen);

#[allow(clippy::manual_async_fn)]
impl Actor for Eager {
    type Msg = Order;
    type State = ();
    type Arguments = ();

    fn pre_start(
        &self,
        _: ActorRef<Order>,
        _: (),
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        self.0.note("eager starts");
        async { Ok(()) }
    }

    fn post_start(
        &self,
        _: ActorRef<Order>,
        _: &mut (),
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        self.0.note("eager started");
        async { Ok(()) }
    }

    fn handle_supervisor_evt(
        &self,
        _: ActorRef<Order>,
        event: SupervisionEvent,
        _: &mut (),
    ) -> impl Future<Output = Result<(), ActorProcessingErr>> + Send {
        if let SupervisionEvent::ActorFailed(..) = event {
            self.0.note("eager fails");
            quiet_panic("planned");
        }
        async { Ok(()) }
    }
}

#[test]
fn methods_that_are_no_async_fn_are_called_in_their_context() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let owner = worker("owner", &pen, Decision::Stop).await;
        diary.expect("owner starts", 0).await;
        diary.expect("owner started", 0).await;
        let eager = as_request(1, || Traced::new(Eager(pen.clone())));
        let eager = Actor::spawn_linked(None, eager, (), owner.get_cell()).await;
        diary.expect("eager starts", 1).await;
        diary.expect("eager started", 1).await;
        let child = Traced::new(Worker {
            name: "child",
            pen,
            decision: Decision::Stop,
        });
        let child = Actor::spawn_linked(None, child, (), eager.unwrap().0.get_cell()).await;
        diary.expect("child starts", 0).await;
        diary.expect("child started", 0).await;
        as_request(7, || cast!(child.unwrap().0, Order::Refuse)).unwrap();
        for what in ["eager fails", "owner hears", "owner stops"] {
            diary.expect(what, 7).await;
        }
    });
}

/// A supervisor, and somebody who hears of the same before it: with its feature `monitors` ractor tells others too.
struct Watched {
    watcher: Traced<Worker>,
    boss: Traced<Worker>,
}

impl Actor for Watched {
    type Msg = Order;
    type State = Option<ActorRef<Order>>;
    type Arguments = ();

    async fn pre_start(
        &self,
        myself: ActorRef<Order>,
        _: (),
    ) -> Result<Self::State, ActorProcessingErr> {
        self.boss.pre_start(myself, ()).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        child: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(failed, _) = &event {
            let copy = SupervisionEvent::ActorFailed(failed.clone(), "a copy".into());
            let watcher = self
                .watcher
                .handle_supervisor_evt(myself.clone(), copy, child);
            watcher.await?;
        }
        let boss = self.boss.handle_supervisor_evt(myself, event, child);
        boss.await
    }
}

#[test]
fn the_failing_context_is_the_supervisors_whoever_else_hears_of_it() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let traced = |name| {
            Traced::new(Worker {
                name,
                pen: pen.clone(),
                decision: Decision::Stop,
            })
        };
        let (watcher, boss) = (traced("watcher"), traced("boss"));
        let boss = Actor::spawn(None, Watched { watcher, boss }, ());
        let (boss, _) = boss.await.unwrap();
        let child = Actor::spawn_linked(None, traced("child"), (), boss.get_cell()).await;
        for what in ["boss starts", "child starts", "child started"] {
            diary.expect(what, 0).await;
        }
        as_request(7, || cast!(child.unwrap().0, Order::Panic)).unwrap();
        diary.expect("watcher hears", 0).await;
        diary.expect("boss hears", 7).await;
    });
}
