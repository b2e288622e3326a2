//! Actors that were asked for and have not begun yet, and in whose Context that was.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::sync::LazyLock;

use ::kameo::actor::ActorRef;
use ::kameo::mailbox::MailboxSender;
use ::kameo::Actor;

use crate::context::Context;
use crate::sync::statics::Mutex;

/// An actor to come is known by its mailbox: kameo makes its id where nobody sees it.
struct Birth<A: Actor> {
    mailbox: MailboxSender<A>,
    context: Context,
}

/// By type of actor, its births.
type Births = HashMap<TypeId, Vec<Box<dyn Any + Send>>>;

static BIRTHS: LazyLock<Mutex<Births>> = LazyLock::new(|| Mutex::new(HashMap::new()));

/// Says that an actor with this mailbox is asked for in the Context.
pub(super) fn announce<A: Actor>(mailbox: MailboxSender<A>, context: Context) {
    if !context.is_empty() {
        let birth: Box<dyn Any + Send> = Box::new(Birth { mailbox, context });
        let mut births = BIRTHS.lock();
        births.entry(TypeId::of::<A>()).or_default().push(birth);
    }
}

/// The Context in which this actor was asked for, at its birth.
pub(super) fn context_of<A: Actor>(actor: &ActorRef<A>) -> Option<Context> {
    let mut births = BIRTHS.lock();
    let of_type = births.get_mut(&TypeId::of::<A>())?;
    let place = of_type.iter().position(|birth| {
        let birth = birth.downcast_ref::<Birth<A>>();
        birth.is_some_and(|birth| birth.mailbox.same_channel(actor.mailbox_sender()))
    })?;
    let birth = of_type.swap_remove(place);
    if of_type.is_empty() {
        births.remove(&TypeId::of::<A>());
    }
    drop(births);
    let birth = birth.downcast::<Birth<A>>().ok()?;
    Some(birth.context)
}
