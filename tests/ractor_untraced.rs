//! ractor: an actor without `Traced` keeps nothing of its messages, whoever else takes such.

#![cfg(feature = "ractor")]

mod stage;
mod witness;

use std::marker::PhantomData;

use kamon::ractor::Traced;
use ractor::{cast, Actor, ActorProcessingErr, ActorRef};

use crate::stage::{as_request, diary, everywhere, Pen};
use crate::witness::Tally;

#[derive(kamon::ractor::Message)]
struct Plain<T: Send + Sync + 'static>(#[allow(dead_code)] T);

/// An actor that handles messages with the derive, and need not be `Traced`.
struct Untraced<T>(Pen, PhantomData<T>);

impl<T: Send + Sync + 'static> Actor for Untraced<T> {
    type Msg = Plain<T>;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Plain<T>>, _: ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Plain<T>>,
        _: Plain<T>,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.0.note("handled");
        Ok(())
    }
}

#[test]
fn an_actor_without_traced_keeps_nothing_of_its_messages() {
    everywhere(|| async {
        let (tally, (pen, mut diary)) = (Tally::new(), diary());
        // One that is `Traced` has messages of the same name, and of another type.
        let traced = Traced::new(Untraced(pen.clone(), PhantomData));
        let (traced, _) = Actor::spawn(None, traced, ()).await.unwrap();
        as_request(2, || cast!(traced, Plain("traced"))).unwrap();
        diary.expect("handled", 2).await;
        traced.stop(None);
        let plain = Untraced(pen, PhantomData);
        let (actor, handle) = Actor::spawn(None, plain, ()).await.unwrap();
        kamon::with_context(tally.request(1), || cast!(actor, Plain(1)).unwrap());
        diary.expect("handled", 0).await;
        assert_eq!(tally.alive(), 0);
        actor.stop(None);
        handle.await.unwrap();
    });
}
