//! Rules 5 and 6, as far as the compiler keeps them: a Scope is not `Send`, and says why.

// Once is enough, with the default features: the compiler is the same, and it builds everything anew.
#[cfg(all(feature = "tokio", not(feature = "http")))]
#[test]
fn what_a_scope_must_not_do_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/context/*.rs");
}
