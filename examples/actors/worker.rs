//! Workers, which fail with the second thing they load, and who starts them again.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;

use kameo::actor::{ActorRef, Spawn as _, WeakActorRef};
use kameo::error::{ActorStopReason, Infallible, PanicError};
use kameo::message::{Context, Message};
use kameo::reply::{DelegatedReply, ReplySender};
use kameo::supervision::RestartPolicy;
use kameo::{Actor, Reply};
use kamon::kameo::{PipeExt as _, SupervisedActorExt as _};

use crate::database::{select, Row};
use crate::lines::say;

/// Asks for a user by name.
pub(crate) struct GetUser(pub(crate) String);

/// The answer.
#[derive(Debug)]
#[allow(dead_code)] // Printed.
pub(crate) struct User {
    name: String,
    projects: usize,
}

impl Reply for User {
    type Ok = User;
    type Error = Infallible;
    type Value = User;

    fn to_result(self) -> Result<User, Infallible> {
        Ok(self)
    }

    fn into_any_err(self) -> Option<Box<dyn kameo::reply::ReplyError>> {
        None
    }

    fn into_value(self) -> User {
        self
    }
}

/// Starts workers again.
#[derive(kamon::kameo::Actor)]
pub(crate) struct Supervisor;

/// Starts so many workers below the supervisor.
pub(crate) async fn start(
    supervisor: &ActorRef<Supervisor>,
    number: usize,
) -> Vec<ActorRef<Worker>> {
    let loaded = Arc::new(AtomicUsize::new(0));
    let mut workers = Vec::new();
    for number in 0..number {
        let worker = Worker {
            number,
            loaded: loaded.clone(),
        };
        let worker = Worker::supervise(supervisor, worker).restart_policy(RestartPolicy::Permanent);
        workers.push(worker.spawn_ctx().await);
    }
    workers
}

/// Loads users.
#[derive(Clone)]
pub(crate) struct Worker {
    number: usize,
    /// By all workers.
    loaded: Arc<AtomicUsize>,
}

#[kamon::kameo::actor(spans)]
impl Actor for Worker {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(worker: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        let again = worker.loaded.load(Ordering::Relaxed) > 0;
        let again = if again { " again" } else { "" };
        say(format!("worker {} starts{again}", worker.number));
        Ok(worker)
    }

    async fn on_panic(
        &mut self,
        _: WeakActorRef<Self>,
        error: PanicError,
    ) -> Result<ControlFlow<ActorStopReason>, Infallible> {
        say(format!("worker {} fails", self.number));
        Ok(ControlFlow::Break(ActorStopReason::Panicked(error)))
    }
}

impl Message<GetUser> for Worker {
    type Reply = DelegatedReply<User>;

    async fn handle(
        &mut self,
        GetUser(name): GetUser,
        ctx: &mut Context<Self, Self::Reply>,
    ) -> Self::Reply {
        let (delegated, answer) = ctx.reply_sender();
        // The worker is free until the row is there.
        let loaded = async { Loaded(select(name).await, answer) };
        loaded.pipe_to(ctx.actor_ref());
        delegated
    }
}

/// What the database has, and for whom.
struct Loaded(Row, Option<ReplySender<User>>);

impl Message<Loaded> for Worker {
    type Reply = ();

    async fn handle(&mut self, Loaded(row, answer): Loaded, _: &mut Context<Self, ()>) {
        say(format!("worker {} loads {}", self.number, row.name));
        if self.loaded.fetch_add(1, Ordering::Relaxed) == 1 {
            panic!("a bug in worker {}", self.number);
        }
        let user = User {
            name: row.name,
            projects: row.projects,
        };
        if let Some(answer) = answer {
            answer.send(user);
        }
    }
}
