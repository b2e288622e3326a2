//! Starting actors: in the Context of whoever asks, on kamon's executor.

use std::future::Future;

use ::kameo::actor::{ActorRef, PreparedActor, Spawn as _};
use ::kameo::mailbox::{self, MailboxReceiver, MailboxSender};
use ::kameo::supervision::SupervisedActorBuilder;
use ::kameo::Actor;

use crate::context::{slot, Context};
use crate::integrations::actors::launch;
use crate::integrations::kameo::{births, Instrumented};

/// As many messages as kameo's own mailboxes hold.
const CAPACITY: usize = 64;

/// Starts actors.
pub trait ActorExt: Instrumented {
    /// As kameo's [`spawn`](::kameo::actor::Spawn::spawn), on kamon's executor.
    ///
    /// `on_start` runs in the Context that is current at this call, and the loop that takes messages in
    /// none. On a tokio runtime that is not kamon's, the actor runs there.
    fn spawn_ctx(args: Self::Args) -> ActorRef<Self> {
        Self::spawn_with_mailbox_ctx(args, mailbox::bounded(CAPACITY))
    }

    /// As [`spawn_ctx`](ActorExt::spawn_ctx), with a mailbox of the caller's choice.
    fn spawn_with_mailbox_ctx(
        args: Self::Args,
        mailbox: (MailboxSender<Self>, MailboxReceiver<Self>),
    ) -> ActorRef<Self> {
        Self::prepare_with_mailbox(mailbox).spawn_ctx(args)
    }
}

impl<A: Instrumented> ActorExt for A {}

/// Starts actors that were prepared, to be linked before they run, for example.
pub trait PreparedActorExt<A: Actor> {
    /// As [`ActorExt::spawn_ctx`].
    fn spawn_ctx(self, args: A::Args) -> ActorRef<A>
    where
        A: Instrumented;
}

impl<A: Actor> PreparedActorExt<A> for PreparedActor<A> {
    fn spawn_ctx(self, args: A::Args) -> ActorRef<A>
    where
        A: Instrumented,
    {
        let actor = self.actor_ref().clone();
        let announced = births::announce(actor.mailbox_sender().clone(), slot::capture());
        launch(Context::empty(), async move {
            // How it ended, kameo tells those who ask the `ActorRef`.
            drop(self.run(args).await);
            drop(announced);
        });
        actor
    }
}

/// Starts actors that are supervised.
pub trait SupervisedActorExt<A: Actor> {
    /// As kameo's [`spawn`](SupervisedActorBuilder::spawn): `on_start` runs in the Context that is
    /// current at this call, and when the actor is started again, in that of the message with which it
    /// failed.
    ///
    /// The actor runs where kameo puts it, in a task of tokio's: only kameo can start it again, and
    /// it asks nobody where.
    fn spawn_ctx(self) -> impl Future<Output = ActorRef<A>> + Send
    where
        A: Instrumented;

    /// As [`spawn_ctx`](SupervisedActorExt::spawn_ctx), with a mailbox of the caller's choice.
    fn spawn_with_mailbox_ctx(
        self,
        mailbox: (MailboxSender<A>, MailboxReceiver<A>),
    ) -> impl Future<Output = ActorRef<A>> + Send
    where
        A: Instrumented;
}

impl<S: Actor, A: Actor> SupervisedActorExt<A> for SupervisedActorBuilder<'_, S, A> {
    fn spawn_ctx(self) -> impl Future<Output = ActorRef<A>> + Send
    where
        A: Instrumented,
    {
        self.spawn_with_mailbox_ctx(mailbox::bounded(CAPACITY))
    }

    fn spawn_with_mailbox_ctx(
        self,
        mailbox: (MailboxSender<A>, MailboxReceiver<A>),
    ) -> impl Future<Output = ActorRef<A>> + Send
    where
        A: Instrumented,
    {
        let context = slot::capture();
        async move {
            let announced = births::announce(mailbox.0.clone(), context);
            let actor = self.spawn_with_mailbox(mailbox).await;
            announced.sent_off();
            actor
        }
    }
}
