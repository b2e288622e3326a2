//! ractor: what is measured of actors, and the span of a message.

#![cfg(feature = "ractor")]

mod traced;
mod witness;

use std::time::Duration;

use kamon::metrics::{subscribe, PeriodSnapshot, Value};
use kamon::ractor::Traced;
use kamon::ContextFutureExt as _;
use ractor::{
    call, cast, Actor, ActorProcessingErr, ActorRef, Message as _, RpcReplyPort, SupervisionEvent,
};
use tokio::sync::oneshot;

use crate::traced::assert_trace;
use crate::witness::quiet_panic;

const NEVER: Duration = Duration::from_secs(86_400);

#[derive(kamon::ractor::Message)]
enum Order {
    Wait(oneshot::Receiver<()>),
    Count(RpcReplyPort<u32>),
    Pass { answer: RpcReplyPort<u32> },
    Fail,
}

/// Passes orders on to the next one, if there is one.
struct Link {
    next: Option<ActorRef<Order>>,
}

impl Actor for Link {
    type Msg = Order;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Order>, _: ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Order>,
        order: Order,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match (order, &self.next) {
            (Order::Wait(gate), _) => gate.await?,
            (Order::Count(answer), _) => answer.send(1)?,
            (Order::Pass { answer }, Some(next)) => {
                kamon::current_span().mark("passed");
                answer.send(call!(next, |answer| Order::Pass { answer })? + 1)?;
            }
            (Order::Pass { answer }, None) if kamon::current_span().is_empty() => {
                answer.send(100)?;
            }
            (Order::Pass { answer }, None) => answer.send(1)?,
            (Order::Fail, _) => quiet_panic("planned"),
        }
        Ok(())
    }

    async fn handle_supervisor_evt(
        &self,
        _: ActorRef<Order>,
        _: SupervisionEvent,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        Ok(())
    }
}

/// The values recorded of the one class of this file.
fn recorded(period: &PeriodSnapshot, name: &str) -> u64 {
    let of_class: Vec<_> = period.named(name).collect();
    assert!(of_class.len() < 2, "one series for a class: {of_class:?}");
    let Some(instrument) = of_class.first() else {
        return 0;
    };
    let class: Vec<_> = instrument.tags().iter().collect();
    assert_eq!(class, [("class", "ractor_observed::Link")]);
    match instrument.value() {
        Value::Count(count) => *count,
        Value::Distribution(times) => times.count(),
        Value::Range(range) => range.samples.max(),
        other => panic!("{name} is no {other:?}"),
    }
}

// One test, because there is one class.
#[test]
fn messages_are_measured_by_class_and_are_spans_below_their_senders() {
    let mut seen = subscribe("ractor.actor.*", NEVER);
    kamon::block_on(async {
        let link = |next| Traced::new(Link { next }).with_spans();
        let (last, _) = Actor::spawn(None, link(None), ()).await.unwrap();
        // From the first message on it is known who takes such messages.
        assert_eq!(call!(last, Order::Count).unwrap(), 1);
        let (open, gate) = oneshot::channel();
        cast!(last, Order::Wait(gate)).unwrap();
        let supervised = Actor::spawn_linked(None, link(None), (), last.get_cell());
        let (failing, handle) = supervised.await.unwrap();
        let counts: Vec<_> = (0..3)
            .map(|_| {
                let (answer, counted) = ractor::concurrency::oneshot();
                cast!(last, Order::Count(answer.into())).unwrap();
                counted
            })
            .collect();
        let waiting = recorded(&seen.snapshot(), "ractor.actor.mailbox-size");
        assert!((3..=4).contains(&waiting), "{waiting} wait");
        open.send(()).unwrap();
        for counted in counts {
            assert_eq!(counted.await.unwrap(), 1);
        }
        cast!(failing, Order::Fail).unwrap();
        handle.await.unwrap();
        // A message is done when the next one is answered.
        assert_eq!(call!(last, Order::Count).unwrap(), 1);
        let period = seen.snapshot();
        assert_eq!(recorded(&period, "ractor.actor.errors"), 1);
        let of = |name| recorded(&period, name);
        let (began, ended) = (
            of("ractor.actor.time-in-mailbox"),
            of("ractor.actor.processing-time"),
        );
        // Wait, three times Count, Fail, Count; what was at work at the snapshots is in either.
        assert!((5..=6).contains(&began), "{began} began");
        assert!((5..=7).contains(&ended), "{ended} ended");

        let (first, _) = Actor::spawn(None, link(Some(last.clone())), ())
            .await
            .unwrap();
        let pass = |answer| Order::Pass { answer };
        let root = kamon::build_span("root").start();
        let asked = async { call!(first, pass) }.in_span(root.clone());
        assert_eq!(asked.await.unwrap(), 2);
        for link in [&first, &last] {
            assert_eq!(call!(link, Order::Count).unwrap(), 1);
        }
        let expected = "\
            root
            └─ ask(Pass) {@span.started, @passed}
               └─ ask(Pass) {@span.started}";
        assert_trace(&root, expected);
        assert_eq!(call!(last, pass).unwrap(), 100, "no span without a trace");
        first.stop(None);
        last.stop_and_wait(None, None).await.unwrap();
        // As where an actor ends while the message is on its way.
        let boxed = Order::Fail.box_message(&last.get_id()).unwrap();
        assert!(matches!(Order::from_boxed(boxed), Ok(Order::Fail)));
    });
    drop(seen.snapshot());
    let left = recorded(&seen.snapshot(), "ractor.actor.mailbox-size");
    assert_eq!(left, 0, "what came back to its sender does not wait");
}
