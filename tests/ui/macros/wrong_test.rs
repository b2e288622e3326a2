//! Tests that would not run, or would run twice.

#[kamon::test]
fn not_async() {}

#[kamon::test]
async fn takes_arguments(number: u32) {}

#[kamon::test]
#[test]
async fn twice() {}

#[kamon::test]
#[::core::prelude::v1::test]
async fn twice_by_path() {}

fn main() {}
