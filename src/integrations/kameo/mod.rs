//! kameo: actors that handle each message in its sender's Context.
//!
//! One line for each actor, [`#[kamon::kameo::actor]`](macro@actor) above its `impl Actor` (or
//! [`#[derive(kamon::kameo::Actor)]`](macro@Actor) instead of kameo's), and nothing for each message.
//!
//! ```
//! use kameo::message::{Context, Message};
//! use kamon::kameo::{ActorExt as _, ActorRefExt as _};
//!
//! #[derive(kamon::kameo::Actor)]
//! struct Counter {
//!     count: u32,
//! }
//!
//! impl Message<u32> for Counter {
//!     type Reply = u32;
//!
//!     async fn handle(&mut self, number: u32, _: &mut Context<Self, u32>) -> u32 {
//!         // Here the Context is that of whoever sent `number`.
//!         self.count += number;
//!         self.count
//!     }
//! }
//!
//! #[kamon::main]
//! async fn main() {
//!     let counter = Counter::spawn_ctx(Counter { count: 0 });
//!     counter.tell_ctx(40).await.unwrap();
//!     assert_eq!(counter.ask_ctx(2).await.unwrap(), 42);
//! }
//! ```
//!
//! # What runs in which Context
//!
//! | | Context |
//! |---|---|
//! | a message of `tell_ctx`, `ask_ctx`, `forward_ctx` | of the call, also with `send_after` |
//! | what `ask_then` calls with the answer | of the call |
//! | the future of `pipe_to`, and the message that it makes | of the call |
//! | `on_start` | of `spawn_ctx`; on a restart, of the message with which the actor failed |
//! | `on_panic`, `on_stop` after a failure | of the message with which the actor failed |
//! | `on_link_died` | of the message with which the other one failed, however far away |
//! | a message of kameo's own `tell`, `ask` and `pipe`, `next`, `on_stop` otherwise | none |
//!
//! # What is measured
//!
//! `kameo.actor.time-in-mailbox`, `kameo.actor.processing-time`, `kameo.actor.mailbox-size` and
//! `kameo.actor.errors`, each by `class`, the actor's [`name`](::kameo::Actor::name). With
//! `#[actor(spans)]` each message that comes in a trace is a span, `tell(Message)` or `ask(Message)`, whose
//! `span.wait-time` is the time in the mailbox.
//!
//! # What kameo does not let through
//!
//! - `Actor::supervision_strategy` and the function of `supervise_with` are called by kameo's loop without
//!   saying for whom, and `on_undelivered` without saying of whom: they see no Context.
//! - An actor that kameo spawns or starts again (`supervise`, `spawn_in_thread`) runs in a task of tokio's.
//!   The rules hold there too.
//! - Inside an actor of `spawn_ctx`, `ActorRef::is_current` does not know that it is inside; kameo
//!   keeps the variable to itself.
//! - Between processes: kameo's feature `remote` finds a message by an id that `#[remote_message]` registers for one
//!   actor and one message, both concrete, so an envelope for all messages cannot be registered. ractor's can
//!   ([`kamon::ractor`](crate::ractor)).
//! - A failure's Context is kept for the supervisor for five seconds; kameo does not say if there is one.
#![forbid(unsafe_code)]

mod births;
#[doc(hidden)]
pub mod hooks;
mod refs;
mod spawn;
mod traced;

pub use kamon_macros::{kameo_actor as actor, KameoActor as Actor};

pub use self::hooks::Instrumented;
pub use self::refs::{
    ActorRefExt, Answer, AskTraced, ForwardedTraced, MessageContextExt, PipeExt, TellTraced,
};
pub use self::spawn::{ActorExt, PreparedActorExt, SupervisedActorExt};
pub use self::traced::Traced;

#[doc(hidden)]
pub use crate::integrations::actors::Class;
#[doc(hidden)]
pub use ::kameo as library;
