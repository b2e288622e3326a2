//! Sending to actors.

use std::future::Future;

use ::kameo::actor::ActorRef;
use ::kameo::error::SendError;
use ::kameo::message::{Context as MessageContext, Message};
use ::kameo::reply::{ForwardedReply, Reply};
use ::kameo::request::{AskRequest, TellRequest, WithoutRequestTimeout};
use ::kameo::Actor;

use crate::context::slot;
use crate::integrations::actors::launch;
use crate::integrations::kameo::{Instrumented, Traced};

/// What [`ask_ctx`](ActorRefExt::ask_ctx) makes: kameo's request, to be awaited or given timeouts.
pub type AskTraced<'a, A, M> =
    AskRequest<'a, A, Traced<M>, WithoutRequestTimeout, WithoutRequestTimeout>;

/// What [`tell_ctx`](ActorRefExt::tell_ctx) makes: kameo's request, to be awaited, or sent later.
pub type TellTraced<'a, A, M> = TellRequest<'a, A, Traced<M>, WithoutRequestTimeout>;

/// What an actor answers that forwards with [`forward_ctx`](MessageContextExt::forward_ctx).
pub type ForwardedTraced<B, M> = ForwardedReply<Traced<M>, <B as Message<M>>::Reply>;

/// What comes of an [`ask_then`](ActorRefExt::ask_then).
pub type Answer<A, M> = Result<
    <<A as Message<Traced<M>>>::Reply as Reply>::Ok,
    SendError<Traced<M>, <<A as Message<Traced<M>>>::Reply as Reply>::Error>,
>;

/// Sends messages with the Context that is current at the call.
///
/// # Examples
///
/// ```
/// use kameo::message::{Context, Message};
/// use kamon::kameo::{ActorExt as _, ActorRefExt as _};
/// use kamon::Key;
///
/// static USER: Key<String> = Key::local("user", || "nobody".into());
///
/// #[derive(kamon::kameo::Actor)]
/// struct Greeter;
///
/// struct Greet;
///
/// impl Message<Greet> for Greeter {
///     type Reply = String;
///
///     async fn handle(&mut self, _: Greet, _: &mut Context<Self, String>) -> String {
///         format!("hello, {}", kamon::current_context().get(&USER))
///     }
/// }
///
/// #[kamon::main]
/// async fn main() {
///     let greeter = Greeter::spawn_ctx(Greeter);
///     let asked = kamon::with_context_key(&USER, "ada".into(), || greeter.ask_ctx(Greet));
///     assert_eq!(asked.await.unwrap(), "hello, ada");
/// }
/// ```
pub trait ActorRefExt<A: Actor> {
    /// As kameo's [`tell`](ActorRef::tell). The Context is that of this call, whenever the message
    /// is sent: also with `send_after`.
    fn tell_ctx<M>(&self, message: M) -> TellTraced<'_, A, M>
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static;

    /// As kameo's [`ask`](ActorRef::ask). Whoever awaits the answer goes on in a Context of its own.
    fn ask_ctx<M>(&self, message: M) -> AskTraced<'_, A, M>
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static;

    /// Asks, and calls `then` with the answer as soon as it is there, in the Context of this call: for
    /// answers that nobody awaits. The task for it runs where the caller's tasks do.
    fn ask_then<M, F>(&self, message: M, then: F)
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static,
        F: FnOnce(Answer<A, M>) + Send + 'static;
}

impl<A: Actor> ActorRefExt<A> for ActorRef<A> {
    #[track_caller]
    fn tell_ctx<M>(&self, message: M) -> TellTraced<'_, A, M>
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static,
    {
        self.tell(Traced::to(A::class(), false, message))
    }

    #[track_caller]
    fn ask_ctx<M>(&self, message: M) -> AskTraced<'_, A, M>
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static,
    {
        self.ask(Traced::to(A::class(), true, message))
    }

    fn ask_then<M, F>(&self, message: M, then: F)
    where
        A: Instrumented + Message<Traced<M>>,
        M: Send + 'static,
        F: FnOnce(Answer<A, M>) + Send + 'static,
    {
        let (actor, traced) = (self.clone(), Traced::to(A::class(), true, message));
        launch(slot::capture(), async move {
            then(actor.ask(traced).send().await);
        });
    }
}

/// Forwards messages with the Context of the one that is being handled.
pub trait MessageContextExt {
    /// As kameo's [`forward`](MessageContext::forward). The other actor handles the message in the
    /// Context that is current, which is that of the message being handled, and answers its sender.
    fn forward_ctx<B, M>(
        &mut self,
        actor: &ActorRef<B>,
        message: M,
    ) -> impl Future<Output = ForwardedTraced<B, M>> + Send
    where
        B: Instrumented + Message<M> + Message<Traced<M>, Reply = <B as Message<M>>::Reply>,
        M: Send + 'static;
}

impl<A: Actor, R: Reply + ?Sized> MessageContextExt for MessageContext<A, R>
where
    Self: Send,
{
    fn forward_ctx<B, M>(
        &mut self,
        actor: &ActorRef<B>,
        message: M,
    ) -> impl Future<Output = ForwardedTraced<B, M>> + Send
    where
        B: Instrumented + Message<M> + Message<Traced<M>, Reply = <B as Message<M>>::Reply>,
        M: Send + 'static,
    {
        let traced = Traced::to(B::class(), false, message);
        self.forward(actor, traced)
    }
}

/// Sends what futures make to actors.
pub trait PipeExt: Future + Sized {
    /// Sends what the future makes to the actor, in the Context that is current at this call and not at
    /// the future's end. The future runs in that Context too, in a task of its own.
    ///
    /// If the actor has stopped by then, the message is dropped.
    fn pipe_to<A>(self, actor: &ActorRef<A>)
    where
        A: Instrumented + Message<Traced<Self::Output>>,
        Self: Send + 'static,
        Self::Output: Send + 'static;
}

impl<F: Future> PipeExt for F {
    fn pipe_to<A>(self, actor: &ActorRef<A>)
    where
        A: Instrumented + Message<Traced<Self::Output>>,
        Self: Send + 'static,
        Self::Output: Send + 'static,
    {
        let (actor, context) = (actor.clone(), slot::capture());
        launch(context.clone(), async move {
            let traced = Traced::with(context, A::class(), self.await);
            // Nobody is there to hear that the actor is gone, as with kameo's own `pipe`.
            drop(actor.tell(traced).send().await);
        });
    }
}
