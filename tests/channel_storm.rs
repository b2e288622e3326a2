//! Messages of many requests through many receivers on all workers: each sees its sender's Context alone.

mod witness;

use kamon::channel::Envelope;
use witness::{current, pause, request, workers, Tally};

/// The request of whoever receives.
const RECEIVER: u32 = 9;

/// A message on its way: whose it is, and how many receivers it has yet to see.
struct Hop {
    number: u32,
    left: u32,
    answer: tokio::sync::oneshot::Sender<u32>,
}

/// Receives, and passes on what is not there yet: as it came, or by a send of its own.
async fn station(receiver: flume::Receiver<Envelope<Hop>>, next: flume::WeakSender<Envelope<Hop>>) {
    while let Ok(envelope) = receiver.recv_async().await {
        assert_eq!(current(), RECEIVER);
        let next = next.upgrade();
        match envelope.message().left {
            left if left % 3 == 1 => {
                let forwarded = envelope.map(|hop| Hop {
                    left: left - 1,
                    ..hop
                });
                next.unwrap().send(forwarded).unwrap();
            }
            _ => {
                kamon::spawn_root(envelope.in_context(|hop| handle_hop(hop, next)));
            }
        }
    }
}

async fn handle_hop(hop: Hop, next: Option<flume::Sender<Envelope<Hop>>>) {
    assert_eq!(current(), hop.number);
    pause().await;
    assert_eq!(current(), hop.number);
    match hop.left.checked_sub(1) {
        None => hop.answer.send(current()).unwrap(),
        Some(left) => {
            let sent = Envelope::capture(Hop { left, ..hop });
            next.unwrap().send(sent).unwrap();
        }
    }
}

#[test]
fn storm() {
    let values = Tally::new();
    let runtime = workers(4);
    runtime.block_on(async {
        let (sender, receiver) = flume::unbounded();
        let stations: Vec<_> = (0..8)
            .map(|_| {
                let station = station(receiver.clone(), sender.downgrade());
                kamon::spawn_in(request(RECEIVER), station)
            })
            .collect();
        let asking: Vec<_> = (100..140)
            .map(|number| {
                let sender = sender.clone();
                kamon::spawn_in(values.request(number), async move {
                    for left in 0..50 {
                        let (answer, answered) = tokio::sync::oneshot::channel();
                        let hop = Hop {
                            number,
                            left: left % 7,
                            answer,
                        };
                        sender.send(Envelope::capture(hop)).unwrap();
                        assert_eq!(answered.await.unwrap(), number);
                        assert_eq!(current(), number);
                    }
                })
            })
            .collect();
        for task in asking {
            task.await.unwrap();
        }
        drop(sender);
        for station in stations {
            station.await.unwrap();
        }
    });
    runtime.shut_down();
    assert_eq!(values.alive(), 0);
}
