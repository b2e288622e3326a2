//! Rules 5 and 6, as far as the compiler keeps them: a Scope is not `Send`, and says why.

#[test]
fn what_a_scope_must_not_do_does_not_compile() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/context/*.rs");
}
