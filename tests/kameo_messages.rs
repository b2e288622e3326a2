//! kameo: tell, forward, ask, pipe and scheduled sends. Each message is handled in its sender's Context.

#![cfg(feature = "kameo")]

mod stage;
mod witness;

use std::time::Duration;

use kameo::actor::{ActorRef, Recipient};
use kameo::error::SendError;
use kameo::message::{Context, Message};
use kameo::prelude::mailbox;
use kamon::kameo::{
    ActorExt as _, ActorRefExt as _, ForwardedTraced, MessageContextExt as _, PipeExt as _, Traced,
};
use tokio::sync::oneshot;

use crate::stage::{as_request, diary, everywhere, in_request, Pen};
use crate::witness::{current, pause, Log, OnDrop, REQUEST};

#[derive(kamon::kameo::Actor)]
struct Writer {
    pen: Pen,
}

/// To be noted, after a pause in which the actor may be moved to another worker.
struct Note(&'static str);

impl Message<Note> for Writer {
    type Reply = u32;

    async fn handle(&mut self, Note(what): Note, _: &mut Context<Self, u32>) -> u32 {
        let before = current();
        pause().await;
        assert_eq!(before, current(), "the same before and after a pause");
        self.pen.note(what);
        before
    }
}

/// Tells the actor itself once more, with whatever is current then.
struct Again(u32);

impl Message<Again> for Writer {
    type Reply = ();

    async fn handle(&mut self, Again(times): Again, ctx: &mut Context<Self, ()>) {
        self.pen.note(format!("again {times}"));
        if times > 0 {
            ctx.actor_ref()
                .tell_ctx(Again(times - 1))
                .try_send()
                .unwrap();
        }
    }
}

#[test]
fn tell_carries_the_senders_context_to_that_message_alone() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen });
        let (first, second) = as_request(1, || {
            (writer.tell_ctx(Note("a")), writer.tell_ctx(Note("b")))
        });
        second.await.unwrap();
        first.await.unwrap();
        in_request(2, async { writer.tell_ctx(Note("c")).await })
            .await
            .unwrap();
        writer.tell(Note("of nobody")).await.unwrap();
        in_request(3, async { writer.tell(Note("kameo's own")).await })
            .await
            .unwrap();
        as_request(4, || writer.tell_ctx(Again(2)).try_send()).unwrap();
        diary.expect("b", 1).await;
        diary.expect("a", 1).await;
        diary.expect("c", 2).await;
        diary.expect("of nobody", 0).await;
        diary.expect("kameo's own", 0).await;
        for what in ["again 2", "again 1", "again 0"] {
            diary.expect(what, 4).await;
        }
    });
}

#[test]
fn blocking_sends_and_recipients_carry_it_too() {
    let runtime = witness::workers(2);
    runtime.block_on(async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen });
        let recipient: Recipient<Traced<Note>> = writer.clone().recipient();
        as_request(1, || {
            recipient
                .tell(Traced::capture(Note("recipient")))
                .try_send()
        })
        .unwrap();
        diary.expect("recipient", 1).await;
        let blocking = as_request(2, || {
            kamon::spawn_blocking(move || {
                writer.tell_ctx(Note("blocking")).blocking_send().unwrap()
            })
        });
        blocking.await.unwrap();
        diary.expect("blocking", 2).await;
    });
}

/// Forwards what it gets, by way of another request's work.
#[derive(kamon::kameo::Actor)]
struct Clerk {
    pen: Pen,
    writer: ActorRef<Writer>,
}

impl Message<Note> for Clerk {
    type Reply = ForwardedTraced<Writer, Note>;

    async fn handle(&mut self, note: Note, ctx: &mut Context<Self, Self::Reply>) -> Self::Reply {
        self.pen.note("forwards");
        in_request(99, pause()).await;
        ctx.forward_ctx(&self.writer, note).await
    }
}

#[test]
fn forward_carries_the_context_of_the_message_that_is_handled() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen: pen.clone() });
        let clerk = as_request(98, || Clerk::spawn_ctx(Clerk { pen, writer }));
        as_request(1, || clerk.tell_ctx(Note("told")).try_send()).unwrap();
        diary.expect("forwards", 1).await;
        diary.expect("told", 1).await;
        let answer = in_request(2, async { clerk.ask_ctx(Note("asked")).await }).await;
        assert_eq!(answer.unwrap(), 2, "the second actor answers the asker");
        diary.expect("forwards", 2).await;
        diary.expect("asked", 2).await;
    });
}

#[test]
fn the_asker_goes_on_in_its_own_context() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen });
        let asker = {
            let writer = writer.clone();
            in_request(1, async move {
                let asked = as_request(2, || writer.ask_ctx(Note("asked")));
                let seen = asked.await.unwrap();
                (seen, current())
            })
        };
        assert_eq!(
            asker.await,
            (2, 1),
            "the actor saw the ask's, the asker its own"
        );
        diary.expect("asked", 2).await;
    });
}

#[test]
fn callbacks_on_the_answer_run_in_the_context_of_the_ask() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen: pen.clone() });
        for request in [1, 2] {
            let pen = pen.clone();
            as_request(request, || {
                writer.ask_then(Note("asked"), move |answer| {
                    pen.note(format!("answered {}", answer.unwrap()));
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
    });
}

/// Asks on whose runtime the actor is.
struct Where;

impl Message<Where> for Writer {
    type Reply = bool;

    async fn handle(&mut self, _: Where, _: &mut Context<Self, bool>) -> bool {
        is_kamons()
    }
}

/// Whether this is one of kamon's runtimes.
fn is_kamons() -> bool {
    kamon::runtime::Handle::try_current().is_ok()
}

#[test]
fn actors_callbacks_and_pipes_run_on_the_runtime_of_the_call() {
    everywhere(|| async {
        let here = is_kamons();
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen: pen.clone() });
        assert_eq!(writer.ask_ctx(Where).await.unwrap(), here);
        let (tell, told) = oneshot::channel();
        writer.ask_then(Where, move |_| tell.send(is_kamons()).unwrap());
        assert_eq!(told.await.unwrap(), here);
        let piped = async { Note(if is_kamons() { "kamon" } else { "tokio" }) };
        piped.pipe_to(&writer);
        diary.expect(if here { "kamon" } else { "tokio" }, 0).await;
    });
}

#[test]
fn pipe_carries_the_context_of_the_call_and_not_of_the_completion() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen: pen.clone() });
        let (complete, completed) = oneshot::channel();
        as_request(1, || {
            let pen = pen.clone();
            let work = async move {
                let what = completed.await.unwrap();
                pen.note("completed");
                Note(what)
            };
            work.pipe_to(&writer);
        });
        as_request(2, || complete.send("piped")).unwrap();
        diary.expect("completed", 1).await;
        diary.expect("piped", 1).await;
    });
}

#[test]
fn scheduled_sends_carry_the_context_of_the_scheduling_call() {
    everywhere(|| async {
        let (pen, mut diary) = diary();
        let writer = Writer::spawn_ctx(Writer { pen });
        let delay = Duration::from_millis(2);
        let sent = as_request(1, || writer.tell_ctx(Note("later")).send_after(delay));
        in_request(2, async { sent.await.unwrap() }).await.unwrap();
        diary.expect("later", 1).await;
    });
}

/// A message with something that says in which Context it is dropped.
struct Heavy(#[allow(dead_code)] OnDrop);

impl Message<Heavy> for Writer {
    type Reply = ();

    async fn handle(&mut self, _: Heavy, _: &mut Context<Self, ()>) {}
}

#[test]
fn what_is_never_handled_is_dropped_in_its_context_or_comes_back() {
    let (log, (pen, _diary)) = (Log::new(), diary());
    let runtime = witness::workers(2);
    runtime.block_on(async {
        let heavy = || Heavy(log.on_drop("dropped"));
        let prepared = kameo::actor::PreparedActor::<Writer>::new(mailbox::bounded(1));
        let writer = prepared.actor_ref().clone();
        as_request(1, || writer.tell_ctx(heavy()).try_send()).unwrap();
        let full = as_request(2, || writer.tell_ctx(heavy()).try_send()).unwrap_err();
        let SendError::MailboxFull(traced) = full else {
            panic!("the mailbox is full: {full}");
        };
        assert_eq!(traced.context().get(&REQUEST), &2);
        as_request(3, || drop(traced));
        drop(prepared);
        drop(writer);
    });
    runtime.shut_down();
    assert_eq!(log.requests("dropped"), [2, 1]);
    drop(pen);
}
