//! What both processes of the tests know: the messages, the actor that hears them, and how nodes meet.

use std::net::{IpAddr, Ipv4Addr};

use kamon::propagation::Codecs;
use kamon::ractor::Traced;
use kamon::{Context, Key};
use ractor::pg::GroupChangeMessage;
use ractor::{
    cast, pg, Actor, ActorCell, ActorProcessingErr, ActorRef, RpcReplyPort, SupervisionEvent,
};
use ractor_cluster::node::NodeConnectionMode;
use ractor_cluster::{NodeServer, NodeServerMessage};
use tokio::sync::oneshot;

/// A value that crosses processes.
pub static REQUEST_ID: Key<Option<String>> = Key::broadcast_string("request-id");

/// A value that does not.
pub static SECRET: Key<u32> = Key::local("secret", || 0);

/// The group of the actors in the other process.
pub const THERE: &str = "there";

/// The group of the actors in the process of the test.
pub const HERE: &str = "here";

/// What the actors of both processes say to one another.
#[derive(kamon::ractor::ClusterMessage)]
pub enum Talk {
    /// To be passed on to the group of this name, with what is left of the hops.
    Hop(String, u32),
    /// To be answered with what is seen.
    #[rpc]
    Look {
        /// Whether to panic instead.
        fail: bool,
        /// For the answer.
        answer: RpcReplyPort<String>,
    },
    /// The last hop's result.
    Arrived,
}

/// What is seen in the Context that is current: the request, what should not be there, and the trace.
pub fn seen() -> String {
    let context = kamon::current_context();
    let (request, secret) = (context.get(&REQUEST_ID), context.get(&SECRET));
    let span = kamon::current_span();
    let request = request.as_deref().unwrap_or("none");
    format!("{request} {secret} {}", span.trace_id())
}

/// A Context of a request, with a value that stays.
pub fn request(id: &str) -> Context {
    Context::empty()
        .with_key(&REQUEST_ID, Some(id.to_owned()))
        .with_key(&SECRET, 7)
}

/// An actor that talks; what it sees at the end goes to whoever made it.
pub struct Talker {
    /// Is told what is seen when something has arrived.
    pub report: Box<dyn Fn(String) + Send + Sync>,
}

impl Actor for Talker {
    type Msg = Talk;
    type State = ();
    type Arguments = ();

    async fn pre_start(&self, _: ActorRef<Talk>, _: ()) -> Result<(), ActorProcessingErr> {
        Ok(())
    }

    async fn handle(
        &self,
        _: ActorRef<Talk>,
        talk: Talk,
        _: &mut (),
    ) -> Result<(), ActorProcessingErr> {
        match talk {
            Talk::Hop(group, 0) => cast!(member(&group).await, Talk::Arrived)?,
            Talk::Hop(group, left) => {
                let back = if group == HERE { THERE } else { HERE };
                cast!(member(&group).await, Talk::Hop(back.to_owned(), left - 1))?;
            }
            Talk::Look { fail, answer } => {
                if fail {
                    return Err("told to fail".into());
                }
                answer.send(seen())?;
            }
            Talk::Arrived => (self.report)(seen()),
        }
        Ok(())
    }
}

/// Puts an actor in the group.
pub async fn talk_in(
    group: &str,
    report: impl Fn(String) + Send + Sync + 'static,
) -> ActorRef<Talk> {
    let talker = Talker {
        report: Box::new(report),
    };
    let talker = Traced::new(talker).with_spans();
    let (talker, _) = Actor::spawn(None, talker, ()).await.expect("it starts");
    pg::join(group.to_owned(), vec![talker.get_cell()]);
    talker
}

/// Waits for an actor of the group, in this process or another.
pub async fn member(group: &str) -> ActorRef<Talk> {
    if let Some(member) = pg::get_members(&group.to_owned()).into_iter().next() {
        return member.into();
    }
    let (found, member) = oneshot::channel();
    let watcher = Actor::spawn(None, Watcher, (group.to_owned(), found)).await;
    drop(watcher.expect("it starts"));
    member.await.expect("somebody joins").into()
}

/// An actor that waits for another one to join a group, says so, and stops.
struct Watcher;

impl Actor for Watcher {
    type Msg = Talk;
    type State = Option<oneshot::Sender<ActorCell>>;
    type Arguments = (String, oneshot::Sender<ActorCell>);

    async fn pre_start(
        &self,
        myself: ActorRef<Talk>,
        (group, found): Self::Arguments,
    ) -> Result<Self::State, ActorProcessingErr> {
        pg::monitor(group.clone(), myself.get_cell());
        // Who joins from now on is heard of, and this is who did before.
        let Some(member) = pg::get_members(&group).into_iter().next() else {
            return Ok(Some(found));
        };
        drop(found.send(member));
        myself.stop(None);
        Ok(None)
    }

    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<Talk>,
        event: SupervisionEvent,
        found: &mut Self::State,
    ) -> Result<(), ActorProcessingErr> {
        if let SupervisionEvent::ProcessGroupChanged(GroupChangeMessage::Join(_, _, joined)) = event
        {
            if let (Some(member), Some(found)) = (joined.into_iter().next(), found.take()) {
                drop(found.send(member));
                myself.stop(None);
            }
        }
        Ok(())
    }
}

/// Starts this process's node.
pub async fn node(name: &str) -> ActorRef<NodeServerMessage> {
    let codecs = Codecs::builder()
        .binary("span", "colfer")
        .string_key("request-id", "X-Request-ID")
        .build();
    Codecs::set_current(codecs);
    let server = NodeServer::new(
        0,
        "kamon".to_owned(),
        name.to_owned(),
        "localhost".to_owned(),
        None,
        Some(NodeConnectionMode::Isolated),
    );
    let server = server.with_listen_addr(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let (server, _) = Actor::spawn(None, server, ())
        .await
        .expect("the node starts");
    server
}
