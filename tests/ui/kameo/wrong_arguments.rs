//! What `#[kamon::kameo::actor]` does not take, and where it does not stand.

struct Worker;

#[kamon::kameo::actor(span)]
impl kameo::Actor for Worker {}

#[kamon::kameo::actor]
impl Clone for Worker {
    fn clone(&self) -> Self {
        Worker
    }
}

#[derive(kamon::kameo::Actor)]
#[actor(spans = 1)]
struct Other;

#[derive(kamon::kameo::Actor)]
#[actor(spans)]
#[actor(name = "twice")]
struct Twice;

#[derive(kamon::kameo::Actor)]
#[actor(mailbox = 64)]
struct Third;

fn main() {}
