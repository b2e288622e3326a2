//! The session keeper: a task as old as the service, which handles each message in its sender's
//! Context.

use std::collections::HashMap;
use std::sync::Arc;

use kamon::Context;
use tokio::sync::{mpsc, oneshot};

use crate::ledger::{Hop, Ledger};
use crate::request::Ticket;

/// How many messages may wait; senders wait beyond that.
const INBOX: usize = 256;

/// The way to the session keeper.
pub(crate) struct Sessions {
    inbox: mpsc::Sender<Message>,
}

impl Sessions {
    /// Starts the keeper, which runs until its last sender is gone.
    pub(crate) fn start(ledger: Arc<Ledger>) -> Self {
        let (inbox, messages) = mpsc::channel(INBOX);
        kamon::spawn_root(keep(messages, ledger));
        Self { inbox }
    }

    /// Stores the user's token and returns how many users have one, or `None` without a keeper.
    pub(crate) async fn store(&self, ticket: &Ticket, token: String) -> Option<usize> {
        let (reply, answer) = oneshot::channel();
        let message = Message {
            context: kamon::current_context(),
            ticket: ticket.clone(),
            token,
            reply,
        };
        self.inbox.send(message).await.ok()?;
        answer.await.ok()
    }
}

struct Message {
    /// The sender's.
    context: Context,
    ticket: Ticket,
    token: String,
    reply: oneshot::Sender<usize>,
}

/// The task itself, in the empty Context between two messages.
async fn keep(mut messages: mpsc::Receiver<Message>, ledger: Arc<Ledger>) {
    let mut tokens = HashMap::new();
    while let Some(message) = messages.recv().await {
        ledger.idle();
        let Message {
            context,
            ticket,
            token,
            reply,
        } = message;
        kamon::with_context(context, || {
            ledger.arrive(Hop::Channel, &ticket);
            tokens.insert(ticket.user, token);
        });
        ledger.idle();
        let _ = reply.send(tokens.len());
    }
}
