//! What the macros of the actors refuse, and that the compiler says why; and what they leave as it is.

#[cfg(feature = "kameo")]
#[test]
fn what_is_no_actor_of_kameo_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/kameo/*.rs");
}

#[cfg(feature = "ractor")]
#[test]
fn what_is_no_message_of_ractor_is_refused() {
    trybuild::TestCases::new().compile_fail("tests/ui/ractor/*.rs");
}

#[cfg(feature = "kameo")]
mod of_kameo {
    use std::error::Error;
    use std::fmt;

    use kameo::actor::{ActorRef, WeakActorRef};
    use kameo::error::{ActorStopReason, HookError};
    use kameo::Actor;
    use kamon::kameo::ActorExt as _;

    struct Careful;

    /// What its methods return becomes what they say only on the way out.
    #[kamon::kameo::actor]
    impl Actor for Careful {
        type Args = bool;
        type Error = Box<dyn Error + Send + Sync>;

        async fn on_start(starts: bool, _: ActorRef<Self>) -> Result<Self, Self::Error> {
            if !starts {
                return Err(Box::new(fmt::Error));
            }
            Ok(Careful)
        }

        async fn on_stop(
            &mut self,
            _: WeakActorRef<Self>,
            _: ActorStopReason,
        ) -> Result<(), Self::Error> {
            Err(Box::new(fmt::Error))
        }
    }

    #[kamon::test]
    async fn the_written_output_type_is_known_in_a_method() {
        let never = Careful::spawn_ctx(false);
        let started = never.wait_for_startup_with_result(|result| result.is_ok());
        assert!(!started.await);
        let careful = Careful::spawn_ctx(true);
        careful.stop_gracefully().await.unwrap();
        let stopped = careful.wait_for_shutdown_with_result(|result| match result {
            Err(HookError::Error(error)) => error.is::<fmt::Error>(),
            _ => false,
        });
        assert!(stopped.await);
    }
}
#[cfg(feature = "ractor")]
mod of_ractor {
    use kamon::ractor::hooks::Labelled as _;
    use ractor::RpcReplyPort;

    macro_rules! message {
        ($port:ty) => {
            #[derive(kamon::ractor::Message)]
            enum Given {
                Ask(#[allow(dead_code)] $port),
            }
        };
    }

    message!(RpcReplyPort<u8>);

    #[test]
    fn a_port_whose_type_a_macro_was_given_asks() {
        let (port, _answer) = ractor::concurrency::oneshot();
        let asks = Given::Ask(port.into());
        assert_eq!(asks.label().operation, "ask(Ask)");
    }
}
