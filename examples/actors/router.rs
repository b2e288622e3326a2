//! The router: hands each request to the next worker, which answers the asker.

use kameo::actor::ActorRef;
use kameo::message::{Context, Message};
use kamon::kameo::{ForwardedTraced, MessageContextExt as _};

use crate::lines::say;
use crate::worker::{GetUser, Worker};

/// Takes turns.
#[derive(kamon::kameo::Actor)]
#[actor(spans)]
pub(crate) struct Router {
    workers: Vec<ActorRef<Worker>>,
    next: usize,
}

impl Router {
    /// A router to these workers.
    pub(crate) fn to(workers: Vec<ActorRef<Worker>>) -> Self {
        Router { workers, next: 0 }
    }
}

impl Message<GetUser> for Router {
    type Reply = ForwardedTraced<Worker, GetUser>;

    async fn handle(
        &mut self,
        request: GetUser,
        ctx: &mut Context<Self, Self::Reply>,
    ) -> Self::Reply {
        let worker = self.next % self.workers.len();
        self.next += 1;
        say(format!("routes to worker {worker}"));
        ctx.forward_ctx(&self.workers[worker], request).await
    }
}
