//! An actor whose methods run in the Context they belong to.

use std::any::type_name;
use std::fmt;
use std::future::Future;
use std::sync::{LazyLock, OnceLock};
use std::time::Duration;

use ::ractor::message::SerializedMessage;
use ::ractor::{Actor, ActorCell, ActorId, ActorProcessingErr, ActorRef, SupervisionEvent};

use crate::context::{slot, Context, ContextFutureExt as _};
use crate::integrations::actors::{deliver, Arrival, Class, Failures};
use crate::integrations::ractor::hooks::{arrived, await_messages, Arrived};
use crate::sync::statics::{AtomicBool, Mutex, Ordering};
use crate::trace::TagKey;

/// By actor that failed and its supervisor: others may hear of it too, and are not the ones who deal with it.
static FAILURES: LazyLock<Failures<(ActorId, ActorId)>> = LazyLock::new(Failures::new);

/// By actor that has just dealt with a child's failure, in which Context that was. If the actor stops,
/// it does so at once: ractor looks for that before anything else.
static DEALT_WITH: LazyLock<Failures<ActorId>> =
    LazyLock::new(|| Failures::keeping(Duration::from_millis(500)));

/// An actor of ractor that handles each message in its sender's Context, and starts in that of whoever
/// made this.
///
/// It goes to ractor's own `spawn`, `spawn_linked` and `spawn_instant` in the actor's place. Messages,
/// state, arguments and references stay what they are.
///
/// # Examples
///
/// ```
/// use kamon::ractor::Traced;
/// use kamon::Key;
/// use ractor::{call, Actor, ActorProcessingErr, ActorRef, RpcReplyPort};
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// #[derive(kamon::ractor::Message)]
/// enum Greeting {
///     Greet(RpcReplyPort<String>),
/// }
///
/// struct Greeter;
///
/// impl Actor for Greeter {
///     type Msg = Greeting;
///     type State = ();
///     type Arguments = ();
///
///     async fn pre_start(&self, _: ActorRef<Greeting>, _: ()) -> Result<(), ActorProcessingErr> {
///         Ok(())
///     }
///
///     async fn handle(
///         &self,
///         _: ActorRef<Greeting>,
///         message: Greeting,
///         _: &mut (),
///     ) -> Result<(), ActorProcessingErr> {
///         let Greeting::Greet(answer) = message;
///         answer.send(format!("hello, {}", kamon::current_context().get(&USER)))?;
///         Ok(())
///     }
/// }
///
/// #[kamon::main]
/// async fn main() {
///     let (greeter, _) = Actor::spawn(None, Traced::new(Greeter), ()).await.unwrap();
///     let context = kamon::current_context().with_key(&USER, "ada".into());
///     let asked = kamon::spawn_in(context, async move { call!(greeter, Greeting::Greet) });
///     assert_eq!(asked.await.unwrap().unwrap(), "hello, ada");
/// }
/// ```
pub struct Traced<A> {
    actor: A,
    class: &'static Class,
    spans: bool,
    /// In which Context the actor was asked for, until it has started.
    creator: Mutex<Context>,
    /// What supervisors know it by, once it has started.
    cell: OnceLock<ActorCell>,
    /// Whether the actor has dealt with a failure since its last message.
    dealt: AtomicBool,
}

impl<A: Actor> Traced<A> {
    /// Makes the actor one whose messages carry their Context. The Context that is current at this
    /// call is the creator's.
    ///
    /// Messages of one type are best taken by such actors alone. One without `Traced` handles them in no Context,
    /// and if others of that type have it, the thread keeps the Context of the last one until its next message.
    pub fn new(actor: A) -> Self {
        await_messages::<A::Msg>();
        Traced {
            actor,
            class: Class::of::<A>("ractor", type_name::<A>()),
            spans: false,
            creator: Mutex::new(slot::capture()),
            cell: OnceLock::new(),
            dealt: AtomicBool::new(false),
        }
    }

    /// Makes each message that comes in a trace a span, `tell(Variant)` or `ask(Variant)`.
    #[must_use = "the actor is returned"]
    pub fn with_spans(mut self) -> Self {
        self.spans = true;
        self
    }

    fn outcome(&self, context: Context) -> Outcome<'_> {
        Outcome {
            class: self.class,
            cell: self.cell.get(),
            context,
            failed: None,
        }
    }

    /// One of the actor's methods, in the Context. It is called there too: not all are `async fn`.
    async fn attempt<T>(
        &self,
        context: Context,
        method: impl Future<Output = Result<T, ActorProcessingErr>>,
    ) -> Result<T, ActorProcessingErr> {
        let mut outcome = self.outcome(context.clone());
        let result = method.in_context(context).await;
        outcome.failed = Some(result.is_err());
        result
    }

    /// The Context of the failure that the actor has dealt with since its last message.
    fn take_dealt_with(&self) -> Option<Context> {
        if !self.dealt.load(Ordering::Relaxed) {
            return None;
        }
        self.dealt.store(false, Ordering::Relaxed);
        DEALT_WITH.take(self.cell.get()?.get_id())
    }
}

/// How one of the actor's methods ends: its failure goes to the supervisor, with the Context.
struct Outcome<'a> {
    class: &'static Class,
    cell: Option<&'a ActorCell>,
    context: Context,
    /// Not known as long as the method runs.
    failed: Option<bool>,
}

impl Outcome<'_> {
    /// The failure of another actor becomes this one's end.
    fn pass_on(mut self) {
        self.failed = Some(false);
        self.note();
    }

    /// Keeps the Context for the supervisor, if there is one, who will hear of the actor's end.
    fn note(&mut self) {
        let supervisor = self.cell.and_then(ActorCell::try_get_supervisor);
        if let (Some(cell), Some(supervisor)) = (self.cell, supervisor) {
            let failure = (cell.get_id(), supervisor.get_id());
            FAILURES.note(failure, std::mem::take(&mut self.context));
        }
    }
}

impl Drop for Outcome<'_> {
    fn drop(&mut self) {
        // A method that is dropped without a panic was cut short by somebody else.
        if self.failed.unwrap_or_else(std::thread::panicking) {
            self.class.errors.increment();
            self.note();
        }
    }
}

impl<A: Actor> Actor for Traced<A> {
    type Msg = A::Msg;
    type State = A::State;
    type Arguments = A::Arguments;

    async fn pre_start(
        &self,
        myself: ActorRef<Self::Msg>,
        args: Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        self.cell.get_or_init(|| myself.get_cell());
        let creator = self.creator.lock().clone();
        let started = async { self.actor.pre_start(myself, args).await };
        started.in_context(creator).await
    }

    async fn post_start(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let creator = std::mem::take(&mut *self.creator.lock());
        let started = async { self.actor.post_start(myself, state).await };
        self.attempt(creator, started).await
    }

    async fn post_stop(
        &self,
        myself: ActorRef<Self::Msg>,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let context = self.take_dealt_with().unwrap_or_default();
        let stopped = async { self.actor.post_stop(myself, state).await };
        let stopped = self.attempt(context.clone(), stopped).await;
        if stopped.is_ok() && !context.is_empty() {
            self.outcome(context).pass_on();
        }
        stopped
    }

    async fn handle(
        &self,
        myself: ActorRef<Self::Msg>,
        message: Self::Msg,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        drop(self.take_dealt_with());
        let Some(mut arrived) = arrived::<A::Msg>() else {
            let handled = async { self.actor.handle(myself, message, state).await };
            return self.attempt(Context::empty(), handled).await;
        };
        let context = arrived.take_context();
        let Arrived {
            origin,
            label,
            receivers,
            ..
        } = arrived;
        receivers.are(self.class);
        let mut outcome = self.outcome(context.clone());
        let operation = move |_| (TagKey::Borrowed(label.operation), label.message);
        let arrival = Arrival {
            context,
            origin,
            class: self.class,
            operation: self.spans.then_some(operation),
        };
        let result = deliver(arrival, || self.actor.handle(myself, message, state)).await;
        outcome.failed = Some(result.is_err());
        result
    }

    async fn handle_serialized(
        &self,
        myself: ActorRef<Self::Msg>,
        message: SerializedMessage,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        self.actor.handle_serialized(myself, message, state).await
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Self::Msg>,
        event: SupervisionEvent,
        state: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        let is_end = !matches!(event, SupervisionEvent::ActorStarted(_));
        let child = event.actor_id().filter(|_| is_end);
        let failed = child.zip(self.cell.get());
        let failed = failed.and_then(|(child, cell)| FAILURES.take((child, cell.get_id())));
        let context = failed.clone().unwrap_or_default();
        let decided = async {
            let decided = self.actor.handle_supervisor_evt(myself, event, state);
            decided.await
        };
        let result = self.attempt(context, decided).await;
        drop(self.take_dealt_with());
        // One that fails has no last method.
        let deals = failed.filter(|_| result.is_ok());
        if let (Some(context), Some(cell)) = (deals, self.cell.get()) {
            DEALT_WITH.note(cell.get_id(), context);
            self.dealt.store(true, Ordering::Relaxed);
        }
        result
    }
}

impl<A: fmt::Debug> fmt::Debug for Traced<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Traced")
            .field("actor", &self.actor)
            .finish_non_exhaustive()
    }
}
