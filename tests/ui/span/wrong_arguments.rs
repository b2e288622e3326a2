//! Arguments that `#[kamon::span]` does not take.

#[kamon::span(nmae = "typo")]
fn typo() {}

#[kamon::span("once", name = "twice")]
fn named_twice() {}

#[kamon::span(kind = "servant")]
fn kind() {}

#[kamon::span(name)]
fn no_name() {}

#[kamon::span(tags)]
fn no_tags() {}

#[kamon::span(tags(user))]
fn tag_without_value() {}

#[kamon::span(tags(user = std::time::Duration::ZERO))]
fn tag_of_the_wrong_type() {}

#[kamon::span(42)]
fn number() {}

fn main() {}
