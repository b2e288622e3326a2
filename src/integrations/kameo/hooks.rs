//! What the methods of an actor with `#[actor]` go through: each runs in the Context it belongs to.
//!
//! What the macros expand to calls these functions, and nobody else.

use std::any::type_name;
use std::cell::Cell;
use std::future::Future;
use std::ops::ControlFlow;
use std::sync::LazyLock;

use ::kameo::actor::{ActorId, ActorRef};
use ::kameo::error::{ActorStopReason, PanicError};
use ::kameo::message::{Context as MessageContext, Message};
use ::kameo::reply::ReplyError;
use ::kameo::Actor;

use crate::context::{slot, Context, ContextFutureExt as _};
use crate::integrations::actors::{deliver, short_name, Arrival, Class, Failures};
use crate::integrations::kameo::births;
use crate::integrations::kameo::Traced;
use crate::trace::TagKey;

static FAILURES: LazyLock<Failures<ActorId>> = LazyLock::new(Failures::new);

thread_local! {
    /// The Context of the message that was handled last, from the end of its handler until the
    /// library's next step on this thread, which says whether the actor failed.
    static LEFT: Cell<Option<Context>> = const { Cell::new(None) };
}

/// An actor whose messages carry their Context: one with [`#[actor]`](macro@super::actor).
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not handle messages in the Context of their sender",
    note = "write `#[kamon::kameo::actor]` above `impl Actor for {Self}`, or derive `kamon::kameo::Actor`"
)]
pub trait Instrumented: Actor {
    /// Whether each message becomes a span, where its Context has one already.
    #[doc(hidden)]
    const SPANS: bool;

    #[doc(hidden)]
    fn class() -> &'static Class;
}

/// The class of actors of type `A`.
pub fn class<A: Actor>() -> &'static Class {
    Class::of::<A>("kameo", A::name())
}

/// A message's turn.
pub async fn handle<A, M>(
    actor: &mut A,
    traced: Traced<M>,
    ctx: &mut MessageContext<A, <A as Message<M>>::Reply>,
) -> <A as Message<M>>::Reply
where
    A: Instrumented + Message<M>,
    M: Send + 'static,
{
    let (context, message, origin) = traced.open();
    let mut outcome = Outcome {
        actor: ctx.actor_ref().id(),
        context: context.clone(),
        handled: false,
    };
    let arrival = Arrival {
        context,
        origin,
        class: A::class(),
        operation: A::SPANS.then_some(operation::<M>),
    };
    let reply = deliver(arrival, || A::handle(actor, message, ctx)).await;
    outcome.handled = true;
    reply
}

fn operation<M>(asked: bool) -> (TagKey, &'static str) {
    let message = short_name(type_name::<M>());
    let verb = if asked { "ask" } else { "tell" };
    (format!("{verb}({message})").into(), message)
}

/// How the handler ends: what comes next may be the actor's failure.
struct Outcome {
    actor: ActorId,
    context: Context,
    handled: bool,
}

impl Drop for Outcome {
    fn drop(&mut self) {
        let context = std::mem::take(&mut self.context);
        if self.handled {
            LEFT.set(Some(context));
        } else if std::thread::panicking() {
            FAILURES.note(self.actor, context);
        }
    }
}

/// Around the actor's `on_message`.
pub async fn on_message<F>(actor: ActorId, handled: F) -> Result<(), Box<dyn ReplyError>>
where
    F: Future<Output = Result<(), Box<dyn ReplyError>>>,
{
    let result = handled.await;
    let left = LEFT.take();
    if result.is_err() {
        FAILURES.note(actor, left.unwrap_or_default());
    }
    result
}

/// Around the actor's `on_start`: in the Context of whoever asked for the actor or, if it starts
/// again, of the message with which it failed.
pub async fn on_start<A, F>(actor: ActorRef<A>, started: F) -> Result<A, A::Error>
where
    A: Instrumented,
    F: Future<Output = Result<A, A::Error>>,
{
    let id = actor.id();
    let born = births::context_of(&actor);
    drop(actor);
    let failed = FAILURES.last(id);
    let context = born.or(failed).unwrap_or_else(slot::current);
    let mut starting = Starting {
        class: A::class(),
        actor: id,
        context: context.clone(),
        started: None,
    };
    let result = started.in_context(context).await;
    starting.started = Some(result.is_ok());
    result
}

/// Whether the actor comes to life; not known as long as it starts.
struct Starting {
    class: &'static Class,
    actor: ActorId,
    context: Context,
    started: Option<bool>,
}

impl Drop for Starting {
    fn drop(&mut self) {
        match self.started {
            Some(true) => FAILURES.restarted(self.actor),
            None if !std::thread::panicking() => {}
            _ => {
                // Nobody asks an actor that has not started what it makes of that.
                self.class.errors.increment();
                FAILURES.note_unstarted(self.actor, std::mem::take(&mut self.context));
            }
        }
    }
}

/// Around the actor's `on_panic`: in the Context of the message with which it failed.
pub async fn on_panic<A, F>(
    actor: ActorId,
    decided: F,
) -> Result<ControlFlow<ActorStopReason>, A::Error>
where
    A: Instrumented,
    F: Future<Output = Result<ControlFlow<ActorStopReason>, A::Error>>,
{
    A::class().errors.increment();
    let result = in_failure(actor, decided).await;
    if matches!(result, Ok(ControlFlow::Continue(()))) {
        drop(FAILURES.take(actor));
    }
    result
}

/// What kameo does without an `on_panic`.
pub fn panicked(error: PanicError) -> ControlFlow<ActorStopReason> {
    ControlFlow::Break(ActorStopReason::Panicked(error))
}

/// Around the actor's `on_link_died`: in the Context of the message with which the other one failed.
pub async fn on_link_died<A, F>(
    actor: ActorId,
    died: ActorId,
    decided: F,
) -> Result<ControlFlow<ActorStopReason>, A::Error>
where
    A: Actor,
    F: Future<Output = Result<ControlFlow<ActorStopReason>, A::Error>>,
{
    let context = FAILURES.last(died).unwrap_or_default();
    let mut hearing = Hearing {
        actor,
        context: context.clone(),
        goes_on: None,
    };
    let result = decided.in_context(context).await;
    hearing.goes_on = Some(matches!(result, Ok(ControlFlow::Continue(()))));
    result
}

/// Whether the actor goes on after another one's death; not known as long as it decides.
struct Hearing {
    actor: ActorId,
    context: Context,
    goes_on: Option<bool>,
}

impl Drop for Hearing {
    fn drop(&mut self) {
        if !self.goes_on.unwrap_or_else(|| !std::thread::panicking()) {
            // The failure goes on, up or to the side.
            FAILURES.note(self.actor, std::mem::take(&mut self.context));
        }
    }
}

/// What kameo does without an `on_link_died`.
pub fn link_died(id: ActorId, reason: ActorStopReason) -> ControlFlow<ActorStopReason> {
    match reason {
        ActorStopReason::Normal | ActorStopReason::SupervisorRestart => ControlFlow::Continue(()),
        ActorStopReason::Killed
        | ActorStopReason::Panicked(_)
        | ActorStopReason::LinkDied { .. } => ControlFlow::Break(ActorStopReason::LinkDied {
            id,
            reason: Box::new(reason),
        }),
        #[allow(unreachable_patterns)] // There are more with kameo's feature `remote`.
        other => ControlFlow::Break(other),
    }
}

/// Around the actor's `on_stop`: in the Context of its failure, if that is why it stops.
pub async fn on_stop<A, F>(actor: ActorId, stopped: F) -> Result<(), A::Error>
where
    A: Actor,
    F: Future<Output = Result<(), A::Error>>,
{
    let context = FAILURES.stop(actor).unwrap_or_default();
    stopped.in_context(context).await
}

async fn in_failure<F: Future>(actor: ActorId, future: F) -> F::Output {
    let context = FAILURES.last(actor).unwrap_or_default();
    future.in_context(context).await
}
