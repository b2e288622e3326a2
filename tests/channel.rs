//! An envelope's message is handled, cloned and dropped in its sender's Context, whatever carries it.

mod witness;

use std::sync::mpsc;

use kamon::channel::Envelope;
use kamon::{current_context, store_context, with_context, Key};
use witness::{current, on_each, pause, quiet_panic, request, workers, Log, Steps, Tally};

/// The request of whoever receives.
const RECEIVER: u32 = 9;

/// A message that knows whose it is.
fn message(number: u32) -> Envelope<u32> {
    with_context(request(number), || Envelope::capture(number))
}

/// Handles a message in a task of the receiver: closure and future are in the sender's Context.
async fn handle(envelope: Envelope<u32>) {
    assert_eq!(current(), RECEIVER);
    let handling = envelope.in_context(|number| {
        assert_eq!(current(), number, "the closure");
        async move {
            assert_eq!(current(), number, "before an await");
            pause().await;
            assert_eq!(current(), number, "after an await");
            let child = kamon::spawn(async { current() });
            assert_eq!(child.await.unwrap(), number, "a child");
        }
    });
    handling.await;
    assert_eq!(current(), RECEIVER, "afterwards the receiver is its own");
}

const SENT: u32 = 20;

/// A test of one channel: sends from as many requests as there are messages, each from a task, and
/// receives in a task of the receiver, until the channel is closed.
macro_rules! carries {
    ($name:ident, $channel:expr, |$sender:ident, $message:ident| $send:expr, |$receiver:ident| $receive:expr) => {
        #[test]
        fn $name() {
            on_each(|runtime| {
                let ($sender, receiver) = $channel;
                runtime.block_on(async {
                    let receiving = kamon::spawn_in(request(RECEIVER), async move {
                        #[allow(unused_mut)]
                        let mut $receiver = receiver;
                        let mut handled = 0;
                        while let Some(envelope) = $receive {
                            handle(envelope).await;
                            handled += 1;
                        }
                        handled
                    });
                    for number in 100..100 + SENT {
                        let $sender = $sender.clone();
                        let sending = kamon::spawn_in(request(number), async move {
                            let $message = Envelope::capture(number);
                            pause().await;
                            $send
                        });
                        sending.await.unwrap();
                    }
                    drop($sender);
                    assert_eq!(receiving.await.unwrap(), SENT);
                });
            });
        }
    };
}

carries!(
    over_tokios_mpsc,
    tokio::sync::mpsc::channel(4),
    |sender, message| sender.send(message).await.unwrap(),
    |receiver| receiver.recv().await
);
carries!(
    over_tokios_unbounded_mpsc,
    tokio::sync::mpsc::unbounded_channel(),
    |sender, message| sender.send(message).unwrap(),
    |receiver| receiver.recv().await
);
carries!(
    over_tokios_broadcast,
    tokio::sync::broadcast::channel(SENT as usize),
    |sender, message| assert!(sender.send(message).is_ok()),
    |receiver| receiver.recv().await.ok()
);
carries!(
    over_async_channel,
    async_channel::bounded(4),
    |sender, message| sender.send(message).await.unwrap(),
    |receiver| receiver.recv().await.ok()
);
carries!(
    over_flume,
    flume::bounded(4),
    |sender, message| sender.send_async(message).await.unwrap(),
    |receiver| receiver.recv_async().await.ok()
);

#[test]
fn over_a_oneshot_who_asks_stays_in_its_own() {
    on_each(|runtime| {
        let (asks, mut asked) = tokio::sync::mpsc::channel(1);
        type Ask = tokio::sync::oneshot::Sender<Envelope<u32>>;
        runtime.block_on(async {
            let answering = kamon::spawn_in(request(RECEIVER), async move {
                while let Some(envelope) = asked.recv().await {
                    let envelope: Envelope<Ask> = envelope;
                    // In the Context of the ask, which the answer then carries back.
                    envelope.run(|answer| answer.send(Envelope::capture(current())).unwrap());
                }
            });
            let asking = kamon::spawn_in(request(1), async move {
                let (answer, answered) = tokio::sync::oneshot::channel();
                asks.send(Envelope::capture(answer)).await.unwrap();
                let answer = answered.await.unwrap();
                assert_eq!(current(), 1);
                with_context(request(2), || answer.run(|whose| (whose, current())))
            });
            assert_eq!(asking.await.unwrap(), (1, 1));
            answering.await.unwrap();
        });
    });
}

#[test]
fn over_threads() {
    let (sender, receiver) = flume::unbounded();
    let (forward, forwarded) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let _scope = store_context(request(RECEIVER));
        for envelope in receiver {
            let envelope: Envelope<u32> = envelope;
            assert_eq!(
                envelope.context().get(&witness::REQUEST),
                envelope.message()
            );
            forward.send(envelope).unwrap();
            assert_eq!(current(), RECEIVER);
        }
    });
    for number in 1..=SENT {
        sender.send(message(number)).unwrap();
    }
    drop(sender);
    let seen = forwarded
        .into_iter()
        .map(|it| it.run(|number| (number, current())));
    assert!(seen.eq((1..=SENT).map(|number| (number, number))));
    thread.join().unwrap();
    assert_eq!(current(), 0);
}

#[test]
fn messages_that_are_handled_at_the_same_time_do_not_see_each_other() {
    on_each(|runtime| {
        runtime.block_on(async {
            let handled: Vec<_> = (1..=SENT)
                .map(|number| {
                    let handling = message(number).in_context(|number| async move {
                        for _ in 0..number {
                            pause().await;
                            assert_eq!(current(), number);
                        }
                        current()
                    });
                    kamon::spawn_root(handling)
                })
                .collect();
            for (handling, number) in handled.into_iter().zip(1..) {
                assert_eq!(handling.await.unwrap(), number);
            }
        });
    });
}

#[test]
fn the_capture_is_the_moment_that_counts() {
    let envelope = message(1);
    let (sender, receiver) = mpsc::channel();
    with_context(request(2), || sender.send(envelope).unwrap());
    with_context(request(3), || {
        receiver.recv().unwrap().run(|_| assert_eq!(current(), 1));
    });
    let nobodys = Envelope::capture(());
    with_context(request(3), || nobodys.run(|()| assert_eq!(current(), 0)));
}

#[test]
fn values_that_are_not_inherited_stay_with_the_sender() {
    static TX: Key<Option<u32>> = Key::local("transaction", || None).not_inherited();
    let see = |()| (current(), *current_context().get(&TX));
    let context = request(1).with_key(&TX, Some(7));
    let envelope = with_context(context.clone(), || Envelope::capture(()));
    assert_eq!(envelope.run(see), (1, None));
    // And the receiver's own is not the message's.
    let envelope = message(1).map(drop);
    assert_eq!(
        with_context(context.clone(), || envelope.run(see)),
        (1, None)
    );
    let told = Envelope::from_parts(context, ());
    assert_eq!(told.run(see), (1, Some(7)), "whoever names the Context");
}

#[test]
fn a_message_that_is_passed_on_stays_its_senders() {
    let passed = with_context(request(RECEIVER), || {
        message(1).map(|number| (number, current()))
    });
    let copy = passed.clone();
    let (context, parts) = passed.into_parts();
    assert_eq!((parts, context), ((1, 1), copy.context().clone()));
    assert_eq!(copy.run(|_| current()), 1);
}

/// Notes who is current when it is cloned.
struct Cloned(Log);

impl Clone for Cloned {
    fn clone(&self) -> Self {
        self.0.note("clone");
        Cloned(self.0.clone())
    }
}

#[test]
fn a_message_is_cloned_in_its_context() {
    let log = Log::new();
    let letter = with_context(request(1), || Envelope::capture(Cloned(log.clone())));
    drop(with_context(request(RECEIVER), || letter.clone()));
    assert_eq!(log.requests("clone"), [1]);
}

#[test]
fn what_nobody_takes_out_is_dropped_in_its_context() {
    let log = Log::new();
    with_context(request(RECEIVER), || {
        let letter = || with_context(request(1), || Envelope::capture(log.on_drop("message")));
        drop(letter());
        let (sender, receiver) = async_channel::unbounded();
        sender.try_send(letter()).unwrap();
        drop(receiver);
        drop(sender.try_send(letter()).unwrap_err());
        drop(sender);
        let (sender, receiver) = tokio::sync::oneshot::channel();
        sender.send(letter()).unwrap();
        drop(receiver);
        assert_eq!(log.requests("message"), [1; 4]);
        drop(letter().into_parts());
        assert_eq!(log.requests("message").last(), Some(&RECEIVER));
        assert_eq!(current(), RECEIVER);
    });
}

#[test]
fn handling_that_does_not_get_to_its_end_is_dropped_in_its_context() {
    on_each(|runtime| {
        let log = Log::new();
        let handling = || {
            let letter = with_context(request(1), || Envelope::capture(log.on_drop("message")));
            let log = log.clone();
            letter.in_context(|owned| witness::after(owned, Steps::never(&log)))
        };
        runtime.block_on(async {
            drop(handling());
            let task = kamon::spawn_in(request(RECEIVER), handling());
            log.seen("poll", 1).await;
            task.abort();
            assert!(task.await.unwrap_err().is_cancelled());
        });
        assert_eq!(log.requests("message"), [1; 2]);
        assert_eq!(log.requests("poll"), [1]);
    });
}

#[test]
fn whatever_a_handler_does_the_receiver_is_in_its_own_context_again() {
    with_context(request(RECEIVER), || {
        message(1).run(|_| std::mem::forget(store_context(request(5))));
        assert_eq!(current(), RECEIVER);
        let panicked = std::panic::catch_unwind(|| message(1).run(|_| quiet_panic("planned")));
        assert_eq!(panicked.unwrap_err().downcast_ref(), Some(&"planned"));
        assert_eq!(current(), RECEIVER);
        let panicked = std::panic::catch_unwind(|| {
            drop(message(1).in_context(|_| -> std::future::Ready<()> { quiet_panic("planned") }))
        });
        assert!(panicked.is_err());
        assert_eq!(current(), RECEIVER);
        // A Scope of the receiver that the handler closes does not come back.
        let scope = store_context(request(6));
        message(1).run(|_| drop(scope));
        assert_eq!(current(), RECEIVER);
    });
    assert_eq!(current(), 0);
}

#[test]
fn an_envelope_keeps_its_context_as_long_as_it_is_there() {
    let values = Tally::new();
    let runtime = workers(2);
    let (sender, receiver) = flume::unbounded();
    for number in 1..=SENT {
        let context = values.request(number);
        let envelope = with_context(context, || Envelope::capture(number));
        sender.send(envelope).unwrap();
    }
    assert_eq!(values.alive(), SENT as usize);
    drop(sender);
    runtime.block_on(async {
        while let Ok(envelope) = receiver.recv_async().await {
            let left = (SENT - envelope.message()) as usize;
            kamon::spawn_root(envelope.in_context(|number| async move {
                assert_eq!(current(), number);
            }))
            .await
            .unwrap();
            assert_eq!(values.alive(), left);
        }
    });
    assert_eq!(values.alive(), 0);
}
