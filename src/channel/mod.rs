//! Messages that carry their sender's Context, over whichever channel you use.
//!
//! A task that receives messages serves many requests and belongs to none of them. An [`Envelope`]
//! is a message with the Context that was current when it was sent: the receiver handles each message
//! in its sender's Context, and is in its own again afterwards. It is a plain value, so it goes
//! through every channel: tokio's `mpsc`, `oneshot` and `broadcast`, async-channel, flume, std's.
//!
//! ```
//! use kamon::channel::Envelope;
//! use kamon::Key;
//!
//! static USER: Key<String> = Key::local("user", || "nobody".into());
//!
//! # kamon::block_on(async {
//! let (sender, receiver) = async_channel::bounded::<Envelope<&str>>(16);
//! let audit = kamon::spawn_root(async move {
//!     let mut lines = Vec::new();
//!     while let Ok(envelope) = receiver.recv().await {
//!         let line = envelope.in_context(|action| async move {
//!             kamon::task::yield_now().await; // still in the sender's Context
//!             format!("{} {action}", kamon::current_context().get(&USER))
//!         });
//!         lines.push(line.await);
//!     }
//!     lines
//! });
//! for (user, action) in [("ada", "reads"), ("bob", "writes")] {
//!     let sender = sender.clone();
//!     kamon::with_context_key(&USER, user.into(), move || {
//!         sender.try_send(Envelope::capture(action)).unwrap();
//!     });
//! }
//! drop(sender);
//! assert_eq!(audit.await.unwrap(), ["ada reads", "bob writes"]);
//! # });
//! ```
//!
//! What answers a message (a oneshot, an ask) needs no envelope: who awaits the answer is in its own
//! Context as before.

mod envelope;

pub use envelope::Envelope;
