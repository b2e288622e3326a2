//! What the macros of the actors refuse, and that the compiler says why.

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
