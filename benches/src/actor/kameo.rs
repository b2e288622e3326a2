//! Actors of kameo.

use kameo::actor::{ActorRef, PreparedActor};
use kameo::error::Infallible;
use kameo::mailbox;
use kameo::message::{Context, Message};
use kameo::Actor;
use kamon::kameo::{ActorExt as _, ActorRefExt as _};

use crate::actor::{per_message, row};
use crate::workload::Workload;

/// Without the Context.
struct Bare(u64);

impl Actor for Bare {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(bare: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(bare)
    }
}

impl Message<u64> for Bare {
    type Reply = u64;

    async fn handle(&mut self, number: u64, _: &mut Context<Self, u64>) -> u64 {
        self.0 = self.0.wrapping_add(number);
        self.0
    }
}

/// With it.
#[derive(kamon::kameo::Actor)]
struct Carrying(u64);

impl Message<u64> for Carrying {
    type Reply = u64;

    async fn handle(&mut self, number: u64, _: &mut Context<Self, u64>) -> u64 {
        self.0 = self.0.wrapping_add(number);
        self.0
    }
}

async fn bare() -> ActorRef<Bare> {
    let prepared = PreparedActor::new(mailbox::unbounded());
    let actor = prepared.actor_ref().clone();
    drop(kamon::spawn_root(prepared.run(Bare(0))));
    actor
}

async fn carrying() -> ActorRef<Carrying> {
    Carrying::spawn_with_mailbox_ctx(Carrying(0), mailbox::unbounded())
}

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    let tell = row(
        "kameo_tell",
        |meter, workers| {
            per_message(meter, workers, bare(), |actor, messages| async move {
                for number in 1..messages {
                    actor.tell(number).try_send().expect("it is sent");
                }
                actor.ask(0).await.expect("it is answered");
            });
        },
        |meter, workers| {
            per_message(meter, workers, carrying(), |actor, messages| async move {
                for number in 1..messages {
                    actor.tell_ctx(number).try_send().expect("it is sent");
                }
                actor.ask_ctx(0).await.expect("it is answered");
            });
        },
    );
    let ask = row(
        "kameo_ask",
        |meter, workers| {
            per_message(meter, workers, bare(), |actor, messages| async move {
                for number in 0..messages {
                    actor.ask(number).await.expect("it is answered");
                }
            });
        },
        |meter, workers| {
            per_message(meter, workers, carrying(), |actor, messages| async move {
                for number in 0..messages {
                    actor.ask_ctx(number).await.expect("it is answered");
                }
            });
        },
    );
    vec![tell, ask]
}
