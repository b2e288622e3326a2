//! What is in the LIFO slot is taken once, and whoever takes it sees what was put in.

use std::collections::BTreeSet;

use kamon_loomed::__model::Parcels;
use loom::sync::Arc;
use loom::thread;

use crate::model::check_bounded;
use crate::model::witness::expect;

/// The owner replaces and takes; a thief takes.
#[test]
fn taken_once_by_owner_or_thief() {
    check_bounded("taken_once_by_owner_or_thief", 3, || {
        let slot = Arc::new(Parcels::new());
        let of_thief = slot.clone();
        let thief = thread::spawn(move || [of_thief.take(), of_thief.take()]);
        let by_owner = [slot.replace(1), slot.replace(2), slot.take()];
        let by_thief = thief.join().unwrap();

        let taken: Vec<u32> = by_owner.into_iter().chain(by_thief).flatten().collect();
        let different: BTreeSet<u32> = taken.iter().copied().collect();
        expect(taken.len() == different.len(), "nothing is taken twice");
        let left = slot.take();
        let seen: BTreeSet<u32> = different.into_iter().chain(left).collect();
        expect(seen == BTreeSet::from([1, 2]), "nothing is lost");
    });
}
