//! ractor: cast, call, forwarding, pipe and scheduled sends. Each message is handled in its sender's
//! Context, with ractor's own macros and references.

#![cfg(feature = "ractor")]

mod stage;
mod witness;

use std::time::Duration;

use kamon::ractor::{ActorRefExt as _, PipeExt as _, Traced};
use ractor::rpc::CallResult;
use ractor::{
    call, call_t, cast, Actor, ActorId, ActorProcessingErr, ActorRef, Message as _, MessagingErr,
    RpcReplyPort,
};
use tokio::sync::oneshot;

use crate::stage::{as_request, diary, everywhere, in_request, Pen};
use crate::witness::{current, pause, Log, OnDrop, Tally};

#[derive(kamon::ractor::Message)]
enum Wish {
    /// To be noted, after a pause in which the actor may be moved to another worker.
    Note(&'static str),
    /// To be noted, and answered with the request that was seen.
    Ask {
        what: &'static str,
        answer: RpcReplyPort<u32>,
    },
    /// To be told to oneself so many times more.
    Again(u32),
    /// To be waited for.
    Gate(oneshot::Receiver<()>),
    /// Something that says in which Context it is dropped.
    Heavy(#[allow(dead_code)] OnDrop),
}

impl Wish {
    fn ask(what: &'static str, answer: RpcReplyPort<u32>) -> Self {
        Wish::Ask { what, answer }
    }
}

struct Writer {
    pen: Pen,
}

impl Actor for Writer {
    type Msg = Wish;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Wish>, _: ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        myself: ActorRef<Wish>,
        wish: Wish,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        let before = current();
        pause().await;
        assert_eq!(before, current(), "the same before and after a pause");
        match wish {
            Wish::Note(what) => self.pen.note(what),
            Wish::Ask { what, answer } => {
                self.pen.note(what);
                answer.send(before)?;
            }
            Wish::Again(times) => {
                self.pen.note(format!("again {times}"));
                if times > 0 {
                    cast!(myself, Wish::Again(times - 1))?;
                }
            }
            Wish::Gate(gate) => gate.await?,
            Wish::Heavy(_) => {}
        }
        Ok(())
    }
}

async fn writer(pen: &Pen) -> ActorRef<Wish> {
    let actor = Traced::new(Writer { pen: pen.clone() });
    Actor::spawn(None, actor, ()).await.unwrap().0
}

#[test]
fn cast_carries_the_senders_context_to_that_message_alone() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        as_request(1, || {
            cast!(writer, Wish::Note("a")).unwrap();
            writer.send_message(Wish::Note("b")).unwrap();
        });
        cast!(writer, Wish::Note("of nobody")).unwrap();
        as_request(4, || cast!(writer, Wish::Again(2))).unwrap();
        diary.expect("a", 1).await;
        diary.expect("b", 1).await;
        diary.expect("of nobody", 0).await;
        for what in ["again 2", "again 1", "again 0"] {
            diary.expect(what, 4).await;
        }
        writer.stop(None);
    });
}

/// Forwards what it gets, by way of another request's work.
struct Clerk {
    pen: Pen,
    writer: ActorRef<Wish>,
}

impl Actor for Clerk {
    type Msg = Wish;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Wish>, _: ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Wish>,
        wish: Wish,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        self.pen.note("forwards");
        in_request(99, pause()).await;
        self.writer.cast(wish)?;
        Ok(())
    }
}

#[test]
fn forwarding_carries_the_context_of_the_message_that_is_handled() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let clerk = Traced::new(Clerk {
            pen,
            writer: writer.clone(),
        });
        let (clerk, _) = in_request(98, Actor::spawn(None, clerk, ())).await.unwrap();
        as_request(1, || cast!(clerk, Wish::Note("told"))).unwrap();
        diary.expect("forwards", 1).await;
        diary.expect("told", 1).await;
        let answer = in_request(2, async { call!(clerk, |port| Wish::ask("asked", port)) }).await;
        assert_eq!(answer.unwrap(), 2, "the second actor answers the asker");
        diary.expect("forwards", 2).await;
        diary.expect("asked", 2).await;
        clerk.stop(None);
        writer.stop(None);
    });
}

#[test]
fn the_asker_goes_on_in_its_own_context() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let asker = async {
            let asked = in_request(2, async { call_t!(writer, Wish::ask, 5000, "asked") });
            let seen = asked.await.unwrap();
            (seen, current())
        };
        let seen = in_request(1, asker).await;
        assert_eq!(seen, (2, 1), "the actor saw the ask's, the asker its own");
        diary.expect("asked", 2).await;
        writer.stop(None);
    });
}

#[test]
fn callbacks_on_the_answer_run_in_the_context_of_the_ask() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        for request in [1, 2] {
            let pen = pen.clone();
            as_request(request, || {
                let ask = |port| Wish::ask("asked", port);
                writer.call_then(ask, None, move |answer| {
                    pen.note(format!("answered {}", answer.unwrap().unwrap()));
                });
            });
        }
        diary
            .expect_all(&[
                ("asked", 1),
                ("asked", 2),
                ("answered 1", 1),
                ("answered 2", 2),
            ])
            .await;

        let forwarded = as_request(3, || {
            let (ask, pen) = (|port| Wish::ask("asked", port), pen.clone());
            let forward = move |answer: u32| {
                pen.note(format!("forwards {answer}"));
                Wish::Note("forwarded")
            };
            writer.call_and_forward_ctx(ask, &writer, forward, None)
        });
        let forwarded = forwarded.await.unwrap().unwrap();
        assert!(matches!(forwarded, CallResult::Success(Ok(()))));
        diary.expect("asked", 3).await;
        diary.expect("forwards 3", 3).await;
        diary.expect("forwarded", 3).await;
        writer.stop(None);
    });
}

#[test]
fn calls_are_sent_before_what_is_sent_after_them() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let ask = |what| move |port| Wish::ask(what, port);
        writer.call_then(ask("first"), None, drop);
        let forward = |_: u32| Wish::Note("forwarded");
        let forwarded = writer.call_and_forward_ctx(ask("second"), &writer, forward, None);
        cast!(writer, Wish::Note("third")).unwrap();
        for what in ["first", "second", "third", "forwarded"] {
            diary.expect(what, 0).await;
        }
        forwarded.await.unwrap().unwrap();
        writer.stop(None);
    });
}

#[test]
fn ractors_own_forward_leaves_the_context_behind() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let forwarded = as_request(3, || {
            let ask = |port| Wish::ask("asked", port);
            let forward = |_: u32| Wish::Note("forwarded");
            writer.call_and_forward(ask, &writer, forward, None)
        });
        forwarded.unwrap().await.unwrap();
        diary.expect("asked", 3).await;
        diary.expect("forwarded", 0).await;
        writer.stop(None);
    });
}

#[test]
fn pipe_carries_the_context_of_the_call_and_not_of_the_completion() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let (complete, completed) = oneshot::channel();
        as_request(1, || {
            let pen = pen.clone();
            let work = async move {
                let what = completed.await.unwrap();
                pen.note("completed");
                Wish::Note(what)
            };
            work.pipe_to(&writer);
        });
        as_request(2, || complete.send("piped")).unwrap();
        diary.expect("completed", 1).await;
        diary.expect("piped", 1).await;
        writer.stop(None);
    });
}

#[test]
fn scheduled_sends_carry_the_context_of_the_scheduling_call() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = writer(&pen).await;
        let soon = Duration::from_millis(2);
        let sent = as_request(1, || writer.send_after_ctx(soon, || Wish::Note("later")));
        in_request(2, sent).await.unwrap().unwrap();
        diary.expect("later", 1).await;
        let ticks = as_request(3, || writer.send_interval_ctx(soon, || Wish::Note("tick")));
        diary.expect("tick", 3).await;
        diary.expect("tick", 3).await;
        ticks.abort();
        writer.stop(None);
    });
}

#[test]
fn what_is_never_handled_is_dropped_in_its_context_or_comes_back() {
    everywhere(|| async {
        let (log, (pen, mut diary)) = (Log::new(), diary());
        let actor = Traced::new(Writer { pen: pen.clone() });
        let (writer, handle) = Actor::spawn(None, actor, ()).await.unwrap();
        let heavy = || Wish::Heavy(log.on_drop("dropped"));
        let (open, gate) = oneshot::channel();
        cast!(writer, Wish::Gate(gate)).unwrap();
        as_request(1, || cast!(writer, heavy()).unwrap());
        // Goes before messages.
        writer.stop(None);
        open.send(()).unwrap();
        handle.await.unwrap();
        log.seen("dropped", 1).await;
        let refused = as_request(2, || writer.cast(heavy()));
        let Err(MessagingErr::SendErr(Wish::Heavy(heavy))) = refused else {
            panic!("a stopped actor takes no messages");
        };
        as_request(3, || drop(heavy));
        assert_eq!(
            log.requests("dropped"),
            [1, 3],
            "what comes back is the caller's"
        );

        // And it does not stick to the next message on this thread.
        let next = self::writer(&pen).await;
        cast!(next, Wish::Note("next")).unwrap();
        diary.expect("next", 0).await;
        next.stop(None);
    });
}

/// A type of messages without the derive.
struct Bytes;

impl Actor for Bytes {
    type Msg = String;
    type State = Pen;
    type Arguments = Pen;

    async fn pre_start(&self, _: ActorRef<String>, pen: Pen) -> Result<Pen, ActorProcessingErr> {
        pen.note("starts");
        Ok(pen)
    }

    async fn handle(
        &self,
        _: ActorRef<String>,
        _: String,
        pen: &mut Pen,
    ) -> Result<(), ActorProcessingErr> {
        pen.note("sees it");
        Err("seen".into())
    }
}

#[test]
fn a_message_without_the_derive_is_handled_in_no_context() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let bytes = as_request(1, || Traced::new(Bytes));
        let (bytes, handle) = Actor::spawn(None, bytes, pen).await.unwrap();
        diary.expect("starts", 1).await;
        as_request(2, || bytes.cast("message".to_owned())).unwrap();
        handle.await.unwrap();
        diary.expect("sees it", 0).await;
    });
}

#[test]
fn what_was_taken_out_of_its_box_and_not_handed_to_an_actor_sticks_to_no_other_message() {
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime.enable_all().build().unwrap();
    runtime.block_on(async {
        let (pen, mut diary) = diary();
        let writers = pen.clone();
        let (bytes, handle) = Actor::spawn(None, Traced::new(Bytes), pen).await.unwrap();
        diary.expect("starts", 0).await;
        let nobody = ActorId::Local(u64::MAX);
        // There may be such actors, to whom it could go.
        drop(Traced::new(Writer { pen: writers }));
        let tally = Tally::new();
        static TX: kamon::Key<u32> = kamon::Key::local("transaction", || 0).not_inherited();
        kamon::with_context(tally.request(6).with_key(&TX, 7), || {
            let boxed = Wish::Note("given back").box_message(&nobody).unwrap();
            assert!(matches!(Wish::from_boxed(boxed), Ok(Wish::Note(_))));
        });
        assert_eq!(tally.alive(), 0, "a message that comes back leaves nothing");
        let boxed = as_request(5, || Wish::Note("given back").box_message(&nobody)).unwrap();
        assert!(matches!(Wish::from_boxed(boxed), Ok(Wish::Note(_))));
        // On the same thread.
        bytes.cast("message".to_owned()).unwrap();
        handle.await.unwrap();
        diary.expect("sees it", 0).await;
    });
}
