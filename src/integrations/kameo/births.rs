//! Actors that were asked for and have not begun yet, and in whose Context that was.

use std::any::{Any, TypeId};
use std::collections::{HashMap, VecDeque};
use std::sync::LazyLock;

use ::kameo::actor::ActorRef;
use ::kameo::mailbox::{MailboxSender, WeakMailboxSender};
use ::kameo::Actor;
use ::tokio::sync::oneshot;

use crate::context::Context;
use crate::sync::statics::Mutex;

/// An actor to come is known by its mailbox: kameo makes its id where nobody sees it.
struct Birth<A: Actor> {
    mailbox: MailboxSender<A>,
    context: Context,
    /// Goes with the birth, which ends a wait for the actor to begin.
    _begins: Option<oneshot::Sender<()>>,
}

/// By type of actor, its births. The oldest is first, and most begin in that order.
type Births = HashMap<TypeId, VecDeque<Box<dyn Any + Send>>>;

static BIRTHS: LazyLock<Mutex<Births>> = LazyLock::new(|| Mutex::new(HashMap::new()));

/// An actor that was asked for. If this is dropped before the actor has begun, it never will, and its
/// Context is let go of.
#[must_use = "dropped, it says that the actor will not begin"]
pub(super) struct Announced<A: Actor>(Option<WeakMailboxSender<A>>);

/// Says that an actor with this mailbox is asked for in the Context.
pub(super) fn announce<A: Actor>(mailbox: MailboxSender<A>, context: Context) -> Announced<A> {
    if context.is_empty() {
        return Announced(None);
    }
    let announced = Announced(Some(mailbox.downgrade()));
    let birth: Box<dyn Any + Send> = Box::new(Birth {
        mailbox,
        context,
        _begins: None,
    });
    let mut births = BIRTHS.lock();
    births
        .entry(TypeId::of::<A>())
        .or_default()
        .push_back(birth);
    announced
}

impl<A: Actor> Announced<A> {
    /// The actor is a task of the tokio runtime that this thread is on. If that ends first, the actor
    /// never begins.
    pub(super) fn sent_off(self) {
        let mailbox = self.0.as_ref().and_then(WeakMailboxSender::upgrade);
        let Some(begun) = mailbox.and_then(|mailbox| begun(&mailbox)) else {
            return;
        };
        ::tokio::spawn(async move {
            // Nothing is sent: the birth is gone.
            let _ = begun.await;
            drop(self);
        });
    }
}

impl<A: Actor> Drop for Announced<A> {
    fn drop(&mut self) {
        // A birth that is there has its mailbox.
        if let Some(mailbox) = self.0.take().and_then(|mailbox| mailbox.upgrade()) {
            drop(take(&mailbox));
        }
    }
}

/// The Context in which this actor was asked for, at its birth.
pub(super) fn context_of<A: Actor>(actor: &ActorRef<A>) -> Option<Context> {
    take(actor.mailbox_sender())
}

/// What ends when this actor begins, unless it has.
fn begun<A: Actor>(mailbox: &MailboxSender<A>) -> Option<oneshot::Receiver<()>> {
    let mut births = BIRTHS.lock();
    let of_type = births.get_mut(&TypeId::of::<A>())?;
    let place = place_of(of_type, mailbox)?;
    let birth = of_type[place].downcast_mut::<Birth<A>>()?;
    let (begins, begun) = oneshot::channel();
    birth._begins = Some(begins);
    Some(begun)
}

fn take<A: Actor>(mailbox: &MailboxSender<A>) -> Option<Context> {
    let mut births = BIRTHS.lock();
    let of_type = births.get_mut(&TypeId::of::<A>())?;
    let place = place_of(of_type, mailbox)?;
    let birth = of_type.remove(place)?;
    if of_type.is_empty() {
        births.remove(&TypeId::of::<A>());
    }
    drop(births);
    let birth = birth.downcast::<Birth<A>>().ok()?;
    Some(birth.context)
}

fn place_of<A: Actor>(
    of_type: &VecDeque<Box<dyn Any + Send>>,
    mailbox: &MailboxSender<A>,
) -> Option<usize> {
    of_type.iter().position(|birth| {
        let birth = birth.downcast_ref::<Birth<A>>();
        birth.is_some_and(|birth| birth.mailbox.same_channel(mailbox))
    })
}
