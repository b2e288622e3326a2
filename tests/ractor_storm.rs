//! ractor: fifty actors that cast, call, forward, pipe, fail and are started again, on four workers.

#![cfg(feature = "ractor")]

mod weather;
mod witness;

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kamon::ractor::{ActorRefExt as _, PipeExt as _, Traced};
use ractor::rpc::CallResult;
use ractor::{
    call, cast, Actor, ActorId, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent,
};

use crate::weather::{Deed, Job, Sky};
use crate::witness::{pause, quiet_panic};

const BOSSES: usize = 10;
const ACTORS: usize = 50;
/// How long an answer is waited for. A message that is sent in the moment in which its actor ends may stay
/// in the channel until nobody knows the actor any more, and whoever waits for its answer does.
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(kamon::ractor::Message)]
enum Order {
    Work(Job),
    Answer(Job, RpcReplyPort<u32>),
    /// To be forwarded.
    Relay(Box<Order>, usize),
    /// Starts an actor below this one.
    Hire(usize, RpcReplyPort<()>),
    /// Looks for what was left behind.
    Probe(RpcReplyPort<()>),
}

/// What all actors know.
struct Town {
    sky: Arc<Sky>,
    nodes: Mutex<HashMap<usize, ActorRef<Order>>>,
    /// Which actors fail with which request.
    failing: Mutex<HashMap<ActorId, (usize, u32)>>,
}

struct Node {
    at: usize,
    /// The request that it is started again for.
    failed: u32,
    town: Arc<Town>,
}

impl Node {
    fn is_boss(&self) -> bool {
        self.at < BOSSES
    }

    fn node(&self, at: usize) -> ActorRef<Order> {
        self.town.nodes.lock().unwrap()[&at].clone()
    }

    fn fail(&self, myself: &ActorRef<Order>, job: &Job) {
        let mut failing = self.town.failing.lock().unwrap();
        failing.insert(myself.get_id(), (self.at, job.request));
    }

    async fn work(&self, myself: ActorRef<Order>, job: Job) -> Result<u32, ActorProcessingErr> {
        job.check("message");
        pause().await;
        job.check("message, later");
        let request = job.request;
        let sky = &self.town.sky;
        for (deed, next, to) in job.deeds(ACTORS) {
            let other = self.node(to);
            // Some are gone, and are started again by and by.
            match deed {
                // Whoever is asked asks only those above: they would wait for one another.
                Deed::Ask if self.at < to && !self.is_boss() => {
                    let ask = |port| Order::Answer(next, port);
                    let answer = other.call(ask, Some(PATIENCE)).await;
                    sky.check("answer", request);
                    if let Ok(CallResult::Success(seen)) = answer {
                        assert_eq!(seen, request, "another's answer");
                    }
                }
                Deed::Tell | Deed::Ask => drop(cast!(other, Order::Work(next))),
                Deed::AskThen => {
                    let sky = sky.clone();
                    let ask = |port| Order::Answer(next, port);
                    other.call_then(ask, Some(PATIENCE), move |_| sky.check("callback", request));
                }
                Deed::Forward => {
                    let relay = Order::Relay(Box::new(Order::Work(next)), self.at);
                    drop(cast!(other, relay));
                }
                Deed::Pipe => {
                    let piped = async move {
                        next.check("pipe");
                        pause().await;
                        next.check("pipe, later");
                        Order::Work(next)
                    };
                    piped.pipe_to(&other);
                }
                Deed::Later => {
                    let soon = Duration::from_millis(1);
                    drop(other.send_after_ctx(soon, || Order::Work(next)));
                }
                Deed::Panic if !self.is_boss() => {
                    self.fail(&myself, &next);
                    quiet_panic("planned");
                }
                Deed::Refuse if !self.is_boss() => {
                    self.fail(&myself, &next);
                    return Err("planned".into());
                }
                Deed::Panic | Deed::Refuse => {}
            }
        }
        Ok(request)
    }

    /// Starts an actor below this one.
    async fn hire(&self, myself: &ActorRef<Order>, at: usize, failed: u32) {
        let node = Traced::new(Node {
            at,
            failed,
            town: self.town.clone(),
        });
        let node = Actor::spawn_linked(None, node.with_spans(), (), myself.get_cell()).await;
        self.town.nodes.lock().unwrap().insert(at, node.unwrap().0);
    }
}

impl Actor for Node {
    type Msg = Order;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Order>, _: ()) -> Result<(), ActorProcessingErr> {
        pause().await;
        let place = if self.failed > 0 { "restart" } else { "start" };
        self.town.sky.check(place, self.failed);
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Order>,
        order: Order,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match order {
            Order::Work(job) => drop(self.work(myself, job).await?),
            Order::Answer(job, answer) => drop(answer.send(self.work(myself, job).await?)),
            Order::Relay(order, to) => {
                if let Order::Work(job) = &*order {
                    job.check("forward");
                }
                drop(self.node(to).cast(*order));
            }
            Order::Hire(at, hired) => {
                self.hire(&myself, at, 0).await;
                hired.send(())?;
            }
            Order::Probe(answer) => {
                self.town.sky.check("probe", 0);
                answer.send(())?;
            }
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Order>,
        event: SupervisionEvent,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ActorFailed(child, _) = event {
            let failed = self.town.failing.lock().unwrap().remove(&child.get_id());
            let (at, request) = failed.expect("it has said so");
            pause().await;
            self.town.sky.check("supervision", request);
            self.hire(&myself, at, request).await;
        }
        Ok(())
    }
}

async fn storm() {
    let sky = Arc::new(Sky::default());
    let town = Arc::new(Town {
        sky: sky.clone(),
        nodes: Mutex::default(),
        failing: Mutex::default(),
    });
    let node = |at: usize| town.nodes.lock().unwrap()[&at].clone();
    for at in 0..ACTORS {
        if at < BOSSES {
            let boss = Traced::new(Node {
                at,
                failed: 0,
                town: town.clone(),
            });
            let boss = Actor::spawn(None, boss.with_spans(), ()).await.unwrap().0;
            town.nodes.lock().unwrap().insert(at, boss);
        } else {
            call!(node(at % BOSSES), Order::Hire, at).unwrap();
        }
    }
    sky.begin(2000, |job| {
        let first = node(job.request as usize % ACTORS);
        // It may be gone already.
        drop(cast!(first, Order::Work(job)));
    })
    .await;
    sky.calm().await;
    for at in 0..ACTORS {
        call!(node(at), Order::Probe).unwrap();
    }
    sky.settle(&[
        "start",
        "restart",
        "supervision",
        "message",
        "answer",
        "callback",
        "forward",
        "pipe",
        "probe",
    ]);
    for (_, node) in town.nodes.lock().unwrap().drain() {
        node.stop(None);
    }
}

#[test]
fn nobody_sees_anothers_context_on_kamon() {
    weather::on_kamon(storm());
}

#[test]
fn nobody_sees_anothers_context_on_tokio() {
    weather::on_tokio(storm());
}
