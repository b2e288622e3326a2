//! Actors of ractor.

use kamon::ractor::Traced;
use ractor::{call, Actor, ActorProcessingErr, ActorRef, Message, RpcReplyPort};

use crate::actor::{per_message, row};
use crate::workload::Workload;

/// Without the Context.
enum Bare {
    Add(u64),
    Sum(RpcReplyPort<u64>),
}

impl Message for Bare {}

/// With it.
#[derive(kamon::ractor::Message)]
enum Carrying {
    Add(u64),
    Sum(RpcReplyPort<u64>),
}

/// An actor that adds numbers up.
macro_rules! adds {
    ($actor:ident, $message:ident) => {
        struct $actor;

        impl Actor for $actor {
            type Msg = $message;
            type State = u64;
            type Arguments = ();

            async fn pre_start(
                &self,
                _: ActorRef<$message>,
                _: (),
            ) -> Result<u64, ActorProcessingErr> {
                Ok(0)
            }

            async fn handle(
                &self,
                _: ActorRef<$message>,
                message: $message,
                sum: &mut u64,
            ) -> Result<(), ActorProcessingErr> {
                match message {
                    $message::Add(number) => *sum = sum.wrapping_add(number),
                    $message::Sum(answer) => answer.send(*sum)?,
                }
                Ok(())
            }
        }
    };
}

adds!(BareActor, Bare);
adds!(CarryingActor, Carrying);

async fn bare() -> ActorRef<Bare> {
    let spawned = Actor::spawn(None, BareActor, ()).await;
    spawned.expect("it starts").0
}

async fn carrying() -> ActorRef<Carrying> {
    let spawned = Actor::spawn(None, Traced::new(CarryingActor), ()).await;
    spawned.expect("it starts").0
}

/// Returns the rows.
pub(super) fn workloads() -> Vec<Workload> {
    let cast = row(
        "ractor_cast",
        |meter, workers| {
            per_message(meter, workers, bare(), |actor, messages| async move {
                for number in 1..messages {
                    actor.cast(Bare::Add(number)).expect("it is sent");
                }
                call!(actor, Bare::Sum).expect("it is answered");
            });
        },
        |meter, workers| {
            per_message(meter, workers, carrying(), |actor, messages| async move {
                for number in 1..messages {
                    actor.cast(Carrying::Add(number)).expect("it is sent");
                }
                call!(actor, Carrying::Sum).expect("it is answered");
            });
        },
    );
    let call = row(
        "ractor_call",
        |meter, workers| {
            per_message(meter, workers, bare(), |actor, messages| async move {
                for _ in 0..messages {
                    call!(actor, Bare::Sum).expect("it is answered");
                }
            });
        },
        |meter, workers| {
            per_message(meter, workers, carrying(), |actor, messages| async move {
                for _ in 0..messages {
                    call!(actor, Carrying::Sum).expect("it is answered");
                }
            });
        },
    );
    vec![cast, call]
}
