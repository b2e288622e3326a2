//! ractor: actors that handle each message in its sender's Context.
//!
//! One line for each type of messages, [`#[derive(kamon::ractor::Message)]`](macro@Message), and
//! [`Traced::new`] around the actor where it is spawned. `ActorRef`, `cast!`, `call!`, `spawn` and
//! `spawn_linked` stay ractor's own, and what an actor's code looks like.
//!
//! # What runs in which Context
//!
//! | | Context |
//! |---|---|
//! | a message of `cast`, `call`, of their macros, and what is forwarded with them | of the send |
//! | a message of `send_after_ctx`, `send_interval_ctx`, and the closure that makes it | of the call |
//! | what `call_then` and `call_and_forward_ctx` call with the answer, and the message forwarded | of the call |
//! | the future of `pipe_to`, and the message that it makes | of the call |
//! | `pre_start`, `post_start` | of [`Traced::new`] |
//! | `handle_supervisor_evt` of a child's failure, and what it spawns | of the message with which the child failed |
//! | `post_stop` after that, and the supervisor above | of that message too |
//! | a message without the derive, or to an actor without `Traced`; `post_stop` otherwise | none |
//!
//! `async fn call` sends at its first poll: that is the send.
//!
//! # Between processes
//!
//! With [`#[derive(kamon::ractor::ClusterMessage)]`](macro@ClusterMessage) in place of ractor_cluster's
//! `RactorClusterMessage` the Context travels in the message's metadata, written by the binary codecs of
//! [`Codecs::current`](crate::propagation::Codecs::current). A process that does not know of it ignores
//! it.
//!
//! # What is measured
//!
//! `ractor.actor.time-in-mailbox`, `ractor.actor.processing-time`, `ractor.actor.mailbox-size` and
//! `ractor.actor.errors`, each by `class`, the actor's type. With [`Traced::with_spans`] each message that
//! comes in a trace is a span, `tell(Variant)` or `ask(Variant)`, whose `span.wait-time` is the time in the
//! mailbox.
//!
//! # What ractor does not let through
//!
//! - ractor spawns actors by `tokio::spawn` and has no other way: inside a kamon runtime they run in its
//!   inner tokio runtime, one at a time. On tokio's multi-thread runtime they run at the same time, and the
//!   rules hold there too.
//! - Who sends knows the type of the message and not of the actor: `mailbox-size` belongs to the class that
//!   took the first message of that type.
//! - With ractor's feature `monitors` others than the supervisor hear of a failure: they do in no Context.
//! - With ractor's feature `async-trait` its traits have other signatures, and this does not compile.
//! - `send_after`, `send_interval`, `call_and_forward` and `forward!` of ractor's own make the message in a
//!   task of tokio's, where there is no Context: use those of [`ActorRefExt`].
//! - A message that is sent in the very moment in which its actor ends may stay in tokio's channel, and its
//!   Context with it, until the last `ActorRef` of the actor is gone. Who calls without a timeout holds one,
//!   and waits.
#![forbid(unsafe_code)]

mod actor;
#[doc(hidden)]
pub mod hooks;
mod refs;

pub use kamon_macros::{RactorClusterMessage as ClusterMessage, RactorMessage as Message};

pub use self::actor::Traced;
pub use self::refs::{ActorRefExt, Answer, Forwarding, PipeExt};

#[doc(hidden)]
pub use crate::integrations::actors::Class;
#[doc(hidden)]
pub use ::ractor as library;
