//! An actor without the one line that it needs.

use kameo::actor::ActorRef;
use kameo::error::Infallible;
use kameo::message::{Context, Message};
use kameo::Actor;
use kamon::kameo::ActorRefExt as _;

struct Worker;

impl Actor for Worker {
    type Args = Self;
    type Error = Infallible;

    async fn on_start(worker: Self, _: ActorRef<Self>) -> Result<Self, Infallible> {
        Ok(worker)
    }
}

impl Message<u32> for Worker {
    type Reply = ();

    async fn handle(&mut self, _: u32, _: &mut Context<Self, ()>) {}
}

fn send(worker: ActorRef<Worker>) {
    drop(worker.tell_ctx(1));
}

fn main() {}
