//! What ractor sends from tasks of its own, sent in the Context of the caller.

use std::future::Future;

use ::ractor::concurrency::{interval, oneshot, sleep, timeout, Duration, JoinHandle};
use ::ractor::rpc::CallResult;
use ::ractor::{ActorRef, Message, MessagingErr, RpcReplyPort, ACTIVE_STATES};

use crate::context::slot;
use crate::integrations::actors::launch;
use crate::integrations::tokio::spawn;

/// What comes of [`call_then`](ActorRefExt::call_then).
pub type Answer<M, R> = Result<CallResult<R>, MessagingErr<M>>;

/// A message on its way to a second actor, after the first one has answered: what
/// [`call_and_forward_ctx`](ActorRefExt::call_and_forward_ctx) makes.
pub type Forwarding<M, N> =
    JoinHandle<Result<CallResult<Result<(), MessagingErr<N>>>, MessagingErr<M>>>;

/// Sends messages later, with the Context that is current at the call.
///
/// `cast`, `call` and their macros need nothing of this: they send at once.
pub trait ActorRefExt<M: Message> {
    /// As ractor's [`send_after`](ActorRef::send_after): `message` is called, and its message handled,
    /// in the Context of this call.
    fn send_after_ctx<F>(
        &self,
        delay: Duration,
        message: F,
    ) -> JoinHandle<Result<(), MessagingErr<M>>>
    where
        F: FnOnce() -> M + Send + 'static;

    /// As ractor's [`send_interval`](ActorRef::send_interval), with the Context of this call.
    fn send_interval_ctx<F>(&self, period: Duration, message: F) -> JoinHandle<()>
    where
        F: Fn() -> M + Send + 'static;

    /// Calls the actor, and then `then` with the answer as soon as it is there, in the Context of this
    /// call: for answers that nobody awaits. The message is sent at once; the task for the answer runs where the
    /// caller's tasks do.
    fn call_then<R, B, F>(&self, message: B, timeout: Option<Duration>, then: F)
    where
        R: Send + 'static,
        B: FnOnce(RpcReplyPort<R>) -> M,
        F: FnOnce(Answer<M, R>) + Send + 'static;

    /// As ractor's [`call_and_forward`](ActorRef::call_and_forward): `forward` is called, and its message
    /// handled, in the Context of this call.
    fn call_and_forward_ctx<R, N, B, F>(
        &self,
        message: B,
        to: &ActorRef<N>,
        forward: F,
        timeout: Option<Duration>,
    ) -> Forwarding<M, N>
    where
        R: Send + 'static,
        N: Message,
        B: FnOnce(RpcReplyPort<R>) -> M,
        F: FnOnce(R) -> N + Send + 'static;
}

impl<M: Message> ActorRefExt<M> for ActorRef<M> {
    fn send_after_ctx<F>(
        &self,
        delay: Duration,
        message: F,
    ) -> JoinHandle<Result<(), MessagingErr<M>>>
    where
        F: FnOnce() -> M + Send + 'static,
    {
        let actor = self.clone();
        spawn(async move {
            sleep(delay).await;
            actor.cast(message())
        })
    }

    fn send_interval_ctx<F>(&self, period: Duration, message: F) -> JoinHandle<()>
    where
        F: Fn() -> M + Send + 'static,
    {
        let actor = self.clone();
        spawn(async move {
            let mut ticks = interval(period);
            // The first one is at once.
            ticks.tick().await;
            while ACTIVE_STATES.contains(&actor.get_status()) {
                ticks.tick().await;
                if actor.cast(message()).is_err() {
                    break;
                }
            }
        })
    }

    fn call_then<R, B, F>(&self, message: B, timeout: Option<Duration>, then: F)
    where
        R: Send + 'static,
        B: FnOnce(RpcReplyPort<R>) -> M,
        F: FnOnce(Answer<M, R>) + Send + 'static,
    {
        let answer = call(self, message, timeout);
        launch(slot::capture(), async move { then(answer.await) });
    }

    fn call_and_forward_ctx<R, N, B, F>(
        &self,
        message: B,
        to: &ActorRef<N>,
        forward: F,
        timeout: Option<Duration>,
    ) -> Forwarding<M, N>
    where
        R: Send + 'static,
        N: Message,
        B: FnOnce(RpcReplyPort<R>) -> M,
        F: FnOnce(R) -> N + Send + 'static,
    {
        let (answer, to) = (call(self, message, timeout), to.clone());
        spawn(async move { Ok(answer.await?.map(|answer| to.cast(forward(answer)))) })
    }
}

/// Calls the actor, now and not at the first poll: before what is sent after it. The future waits for the
/// answer.
fn call<M: Message, R: Send + 'static>(
    actor: &ActorRef<M>,
    message: impl FnOnce(RpcReplyPort<R>) -> M,
    patience: Option<Duration>,
) -> impl Future<Output = Answer<M, R>> + Send + 'static {
    let (port, answer) = oneshot();
    let sent = actor.cast(message(match patience {
        Some(patience) => (port, patience).into(),
        None => port.into(),
    }));
    async move {
        sent?;
        let answered = match patience {
            Some(patience) => timeout(patience, answer).await,
            None => Ok(answer.await),
        };
        Ok(match answered {
            Ok(Ok(answer)) => CallResult::Success(answer),
            Ok(Err(_)) => CallResult::SenderError,
            Err(_) => CallResult::Timeout,
        })
    }
}

/// Sends what futures make to actors.
pub trait PipeExt: Future + Sized {
    /// Sends what the future makes to the actor, in the Context that is current at this call and not at
    /// the future's end. The future runs in that Context too, in a task of its own.
    ///
    /// If the actor has stopped by then, the message is dropped.
    fn pipe_to(self, actor: &ActorRef<Self::Output>)
    where
        Self: Send + 'static,
        Self::Output: Message;
}

impl<F: Future> PipeExt for F {
    fn pipe_to(self, actor: &ActorRef<F::Output>)
    where
        F: Send + 'static,
        F::Output: Message,
    {
        let actor = actor.clone();
        launch(slot::capture(), async move {
            // Nobody is there to hear that the actor is gone.
            drop(actor.cast(self.await));
        });
    }
}
