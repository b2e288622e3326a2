//! The way of a message from one actor to another: what the derives expand to calls these functions,
//! and nobody else.

use std::any::TypeId;
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::OnceLock;

use ::ractor::message::{BoxedDowncastErr, BoxedMessage, SerializedMessage};
use ::ractor::{ActorId, Message};

use crate::channel::Envelope;
use crate::context::{slot, with_context, Context};
use crate::integrations::actors::{Class, Origin};
use crate::propagation::Codecs;
use crate::sync::statics::{AtomicBool, Mutex, Ordering};

/// What a message is called.
#[derive(Clone, Copy, Debug)]
pub struct Label {
    /// `tell(Variant)` or `ask(Variant)`.
    pub operation: &'static str,
    /// The variant.
    pub message: &'static str,
    /// Whether there is a port to answer to.
    pub asks: bool,
}

/// Which actors take messages of one type: known when the first one was taken.
pub struct Receivers(OnceLock<&'static Class>);

impl Receivers {
    /// Not known yet.
    #[allow(clippy::new_without_default)] // For a static.
    pub const fn new() -> Self {
        Receivers(OnceLock::new())
    }

    pub(super) fn are(&self, class: &'static Class) {
        self.0.get_or_init(|| class);
    }
}

/// By type of messages, their receivers.
type OfTypes = BTreeMap<TypeId, &'static Receivers>;

/// Who takes messages of a type that has parameters: a static in the derive would be one for all of
/// them. It stays for the life of the process, as the type does.
pub fn receivers_of<M: 'static>() -> &'static Receivers {
    static OF_TYPES: Mutex<OfTypes> = Mutex::new(BTreeMap::new());
    let mut of_types = OF_TYPES.lock();
    of_types
        .entry(TypeId::of::<M>())
        .or_insert_with(|| Box::leak(Box::new(Receivers::new())))
}

impl fmt::Debug for Receivers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Receivers").field(&self.0.get()).finish()
    }
}

/// A type of messages with the derive.
pub trait Labelled: Send + Sized + 'static {
    /// What this one is called.
    fn label(&self) -> &'static Label;

    /// Who takes messages of this type.
    fn receivers() -> &'static Receivers;
}

/// A message between two actors of this process.
struct Parcel<M> {
    envelope: Envelope<M>,
    origin: Origin,
    label: &'static Label,
}

impl<M: Labelled> Message for Parcel<M> {}

/// A message to another process, ready to go.
struct Sealed(SerializedMessage);

impl Message for Sealed {
    fn serializable() -> bool {
        true
    }

    fn serialize(self) -> Result<SerializedMessage, BoxedDowncastErr> {
        Ok(self.0)
    }
}

/// Boxes a message with the Context that is current, for an actor of this process.
pub fn send<M: Labelled>(message: M, to: &ActorId) -> Result<BoxedMessage, BoxedDowncastErr> {
    if !to.is_local() {
        return Err(BoxedDowncastErr);
    }
    let label = message.label();
    let parcel = Parcel {
        envelope: Envelope::capture(message),
        origin: Origin::now(M::receivers().0.get().copied(), label.asks),
        label,
    };
    parcel.box_message(to)
}

/// As [`send`], also to actors of other processes.
pub fn send_anywhere<M>(message: M, to: &ActorId) -> Result<BoxedMessage, BoxedDowncastErr>
where
    M: Labelled + Message,
{
    match to.is_local() {
        true => send(message, to),
        false => Sealed(message.serialize()?).box_message(to),
    }
}

/// Writes the current Context on a message to another process.
pub fn stamp(mut message: SerializedMessage) -> SerializedMessage {
    if let Some(metadata) = metadata_of(&mut message) {
        let bytes = slot::with_current(|context| Codecs::current().encode_binary(context));
        *metadata = (!bytes.is_empty()).then_some(bytes);
    }
    message
}

fn metadata_of(message: &mut SerializedMessage) -> Option<&mut Option<Vec<u8>>> {
    match message {
        SerializedMessage::Cast { metadata, .. } | SerializedMessage::Call { metadata, .. } => {
            Some(metadata)
        }
        SerializedMessage::CallReply(..) => None,
    }
}

/// Takes a message out of its box. Its Context waits for the actor, whose turn is next.
pub fn receive<M>(mut boxed: BoxedMessage) -> Result<M, BoxedDowncastErr>
where
    M: Labelled + Message,
{
    let Some(mut serialized) = boxed.serialized_msg.take() else {
        let parcel = Parcel::<M>::from_boxed(boxed)?;
        let (context, message) = parcel.envelope.into_parts();
        // A message comes back to its sender if the actor is gone, and then nobody asks for what came
        // with it. Then as always, whoever sees the same Context around needs no other: what the sender
        // has besides, and is not inherited, does not count.
        let context = (slot::capture() != context).then_some(context);
        arrive::<M>(context, parcel.origin, parcel.label);
        return Ok(message);
    };
    let stamp = metadata_of(&mut serialized).and_then(Option::take);
    let context = stamp.map_or(Context::empty(), |stamp| {
        Codecs::current().decode_binary(&stamp)
    });
    let message = with_context(context.clone(), || M::deserialize(serialized))?;
    let label = message.label();
    arrive::<M>(Some(context), Origin::remote(label.asks), label);
    Ok(message)
}

/// What came with the message that was taken out of its box last, on this thread.
pub(super) struct Arrived {
    message: TypeId,
    /// None if it is what is inherited here anyway.
    context: Option<Context>,
    pub(super) origin: Origin,
    pub(super) label: &'static Label,
    pub(super) receivers: &'static Receivers,
}

thread_local! {
    /// From `from_boxed` to the handler, between which the library does nothing else.
    static ARRIVED: Cell<Option<Arrived>> = const { Cell::new(None) };
}

impl Arrived {
    /// The Context in which the message was sent.
    pub(super) fn take_context(&mut self) -> Context {
        self.context.take().unwrap_or_else(slot::capture)
    }
}

/// The types of messages that some `Traced` actor takes.
static AWAITED: Mutex<BTreeSet<TypeId>> = Mutex::new(BTreeSet::new());

/// Whether there are such types, to be seen without the lock.
static IS_ANY_AWAITED: AtomicBool = AtomicBool::new(false);

/// Has what comes with messages of this type wait for the actor that is handed them.
pub(super) fn await_messages<M: 'static>() {
    AWAITED.lock().insert(TypeId::of::<M>());
    IS_ANY_AWAITED.store(true, Ordering::Relaxed);
}

fn is_awaited<M: 'static>() -> bool {
    // Ordering: an actor is handed a message after it was spawned, which brings along what was written
    // when it was made `Traced`.
    IS_ANY_AWAITED.load(Ordering::Relaxed) && AWAITED.lock().contains(&TypeId::of::<M>())
}

fn arrive<M: Labelled>(context: Option<Context>, mut origin: Origin, label: &'static Label) {
    // Perhaps nobody asks for it, and it stays here.
    origin.arrive();
    // Nobody else asks for it, and the thread would keep the Context until its next message.
    if M::receivers().0.get().is_none() && !is_awaited::<M>() {
        // Nor for what came before it.
        return drop(ARRIVED.take());
    }
    let arrived = Arrived {
        message: TypeId::of::<M>(),
        context,
        origin,
        label,
        receivers: M::receivers(),
    };
    drop(ARRIVED.replace(Some(arrived)));
}

/// What came with the message that is handed to the actor now. Nothing, if its type has no derive.
///
/// A message that is given back to its sender was taken out of its box too. What came with that is
/// recognised by its type: each message of a type with the derive comes here right after it was taken
/// out.
pub(super) fn arrived<M: 'static>() -> Option<Arrived> {
    let arrived = ARRIVED.take()?;
    (arrived.message == TypeId::of::<M>()).then_some(arrived)
}
