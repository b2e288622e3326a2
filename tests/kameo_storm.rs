//! kameo: fifty actors that tell, ask, forward, pipe, fail and are started again, on four workers.

#![cfg(feature = "kameo")]

mod weather;
mod witness;

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use kameo::actor::{ActorRef, Spawn as _, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible, PanicError};
use kameo::message::{Context, Message};
use kameo::prelude::mailbox;
use kameo::supervision::RestartPolicy;
use kameo::Actor;
use kamon::kameo::{
    ActorExt as _, ActorRefExt as _, ForwardedTraced, MessageContextExt as _, PipeExt as _,
    SupervisedActorExt as _,
};

use crate::weather::{Deed, Job, Sky};
use crate::witness::{pause, quiet_panic};

const BOSSES: usize = 10;
const ACTORS: usize = 50;

#[derive(Clone)]
struct Node {
    at: usize,
    nodes: Arc<Mutex<Vec<ActorRef<Node>>>>,
    sky: Arc<Sky>,
    /// The request that this one fails with.
    failing: u32,
    /// The one that it was started again for.
    failed: Arc<AtomicU32>,
}

impl Node {
    fn is_boss(&self) -> bool {
        self.at < BOSSES
    }

    fn node(&self, at: usize) -> ActorRef<Node> {
        self.nodes.lock().unwrap()[at].clone()
    }

    fn fail(&mut self, job: &Job) {
        self.failing = job.request;
        self.failed.store(job.request, Ordering::SeqCst);
    }
}

#[kamon::kameo::actor(spans)]
impl Actor for Node {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(node: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        let failed = node.failed.load(Ordering::SeqCst);
        node.sky
            .check(if failed > 0 { "restart" } else { "start" }, failed);
        Ok(node)
    }

    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        error: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        pause().await;
        self.sky.check("failure", self.failing);
        match self.is_boss() {
            true => Ok(ControlFlow::Continue(())),
            false => Ok(ControlFlow::Break(ActorStopReason::Panicked(error))),
        }
    }

    async fn on_stop(
        &mut self,
        _: WeakActorRef<Self>,
        reason: ActorStopReason,
    ) -> Result<(), Infallible> {
        if matches!(reason, ActorStopReason::Panicked(_)) {
            self.sky.check("stop", self.failing);
        }
        Ok(())
    }
}

impl Message<Job> for Node {
    type Reply = Result<u32, String>;

    async fn handle(&mut self, job: Job, ctx: &mut Context<Self, Self::Reply>) -> Self::Reply {
        job.check("message");
        pause().await;
        job.check("message, later");
        let request = job.request;
        for (deed, next, to) in job.deeds(ACTORS) {
            let other = self.node(to);
            match deed {
                // Whoever is asked asks only those above, and no boss waits: they would wait for
                // one another.
                Deed::Ask if self.at < to && !self.is_boss() => {
                    let answer = other.ask_ctx(next).await;
                    self.sky.check("answer", request);
                    assert!(
                        answer.map_or(true, |seen| seen == request),
                        "another's answer"
                    );
                }
                Deed::Tell | Deed::Ask => drop(other.tell_ctx(next).await),
                Deed::AskThen => {
                    let sky = self.sky.clone();
                    other.ask_then(next, move |_| sky.check("callback", request));
                }
                Deed::Forward => drop(other.tell_ctx(Relay(next, self.at)).await),
                Deed::Pipe => {
                    let piped = async move {
                        next.check("pipe");
                        pause().await;
                        next.check("pipe, later");
                        next
                    };
                    piped.pipe_to(&other);
                }
                Deed::Later => {
                    drop(other.tell_ctx(next).send_after(Duration::from_millis(1)));
                }
                Deed::Panic => {
                    self.fail(&next);
                    quiet_panic("planned");
                }
                Deed::Refuse => {
                    // Only those who were told and not asked fail by an error.
                    self.fail(&next);
                    let _ = ctx;
                    return Err("planned".into());
                }
            }
        }
        Ok(request)
    }
}

/// To be forwarded.
struct Relay(Job, usize);

impl Message<Relay> for Node {
    type Reply = ForwardedTraced<Node, Job>;

    async fn handle(
        &mut self,
        Relay(job, to): Relay,
        ctx: &mut Context<Self, Self::Reply>,
    ) -> Self::Reply {
        job.check("forward");
        let other = self.node(to);
        ctx.forward_ctx(&other, job).await
    }
}

/// Looks for what was left behind.
struct Probe;

impl Message<Probe> for Node {
    type Reply = ();

    async fn handle(&mut self, _: Probe, _: &mut Context<Self, ()>) {
        self.sky.check("probe", 0);
    }
}

async fn storm() {
    let sky = Arc::new(Sky::default());
    let nodes = Arc::new(Mutex::new(Vec::new()));
    for at in 0..ACTORS {
        let node = Node {
            at,
            nodes: nodes.clone(),
            sky: sky.clone(),
            failing: 0,
            failed: Arc::default(),
        };
        let actor = if node.is_boss() {
            Node::spawn_with_mailbox_ctx(node, mailbox::unbounded())
        } else {
            let boss = nodes.lock().unwrap()[at % BOSSES].clone();
            Node::supervise(&boss, node)
                .restart_policy(RestartPolicy::Permanent)
                .restart_limit(u32::MAX, Duration::from_secs(60))
                .spawn_with_mailbox_ctx(mailbox::unbounded())
                .await
        };
        nodes.lock().unwrap().push(actor);
    }
    let all = nodes.lock().unwrap().clone();
    for node in &all {
        node.wait_for_startup().await;
    }
    sky.begin(2000, |job| {
        let at = job.request as usize % ACTORS;
        let first = nodes.lock().unwrap()[at].clone();
        first.tell_ctx(job).try_send().unwrap();
    })
    .await;
    sky.calm().await;
    let probed: Vec<_> = nodes.lock().unwrap().drain(..).collect();
    for node in &probed {
        node.ask(Probe).await.unwrap();
    }
    sky.settle(&[
        "start", "restart", "failure", "stop", "message", "answer", "callback", "forward", "pipe",
        "probe",
    ]);
}

#[test]
fn nobody_sees_anothers_context_on_kamon() {
    weather::on_kamon(storm());
}

#[test]
fn nobody_sees_anothers_context_on_tokio() {
    weather::on_tokio(storm());
}
