//! The wheel against a sorted map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use crate::time::wheel::{Key, Moved, Step, Wheel};

fn step_all(wheel: &mut Wheel<u64>, now: u64) -> Vec<u64> {
    let mut due = Vec::new();
    loop {
        match wheel.step(now) {
            Step::Due(value) => due.push(value),
            Step::Lowered => {}
            Step::Done => return due,
        }
    }
}

#[derive(Debug, Clone)]
enum Op {
    Insert(u64),
    Remove(usize),
    Reset(usize, u64),
    /// Moves the time ahead; only so many steps of the work are done.
    Advance(u64, usize),
    CatchUp(u64),
}

/// Small steps, whole digits and the odd ends of them, and as far as it goes.
fn distance() -> impl Strategy<Value = u64> {
    prop_oneof![
        4 => 0..130u64,
        2 => 0..5_000u64,
        2 => (0..64u32, 0..3u64).prop_map(|(shift, off)| (1u64 << shift).wrapping_sub(1 - off.min(1))),
        1 => any::<u64>(),
        1 => Just(u64::MAX),
    ]
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        5 => distance().prop_map(Op::Insert),
        2 => any::<usize>().prop_map(Op::Remove),
        2 => (any::<usize>(), distance()).prop_map(|(i, d)| Op::Reset(i, d)),
        3 => (distance(), prop_oneof![Just(usize::MAX), 0..4usize])
            .prop_map(|(d, steps)| Op::Advance(d, steps)),
        1 => distance().prop_map(Op::CatchUp),
    ]
}

/// The wheel, and what ought to be in it.
struct Checked {
    wheel: Wheel<u64>,
    waiting: BTreeMap<u64, (u64, Key)>,
    gone: Vec<Key>,
    now: u64,
    next: u64,
    /// The deadline of the last one that fired.
    fired: u64,
}

impl Checked {
    fn insert(&mut self, when: u64) {
        let value = self.next;
        self.next += 1;
        match self.wheel.insert(when, value) {
            Ok(key) => {
                assert_eq!(self.wheel.get_mut(key), Some(&mut value.clone()));
                assert!(!self.gone.contains(&key), "a key names a second entry");
                self.waiting.insert(value, (when, key));
            }
            Err(back) => {
                assert_eq!(back, value);
                assert!(when <= self.now, "{when} was refused at {}", self.now);
            }
        }
    }

    fn pick(&self, index: usize) -> Option<u64> {
        let nth = index.checked_rem(self.waiting.len())?;
        self.waiting.keys().nth(nth).copied()
    }

    fn remove(&mut self, index: usize) {
        let Some(value) = self.pick(index) else {
            return;
        };
        let (_, key) = self.waiting.remove(&value).unwrap();
        assert_eq!(self.wheel.remove(key), Some(value));
        self.gone.push(key);
    }

    fn reset(&mut self, index: usize, when: u64) {
        let Some(value) = self.pick(index) else {
            return;
        };
        let (_, key) = self.waiting[&value];
        match self.wheel.reset(key, when) {
            Moved::Waits => drop(self.waiting.insert(value, (when, key))),
            Moved::Due(due) => {
                assert_eq!(due, value);
                assert!(when <= self.now);
                self.waiting.remove(&value);
                self.gone.push(key);
            }
            Moved::Gone => panic!("it was waiting"),
        }
    }

    fn advance(&mut self, to: u64, steps: usize) {
        self.now = self.now.max(to);
        for _ in 0..steps {
            match self.wheel.step(self.now) {
                Step::Due(value) => {
                    let (when, key) = self.waiting.remove(&value).expect("fires once");
                    assert!(when <= self.now, "fires early");
                    assert!(when >= self.fired, "fires out of order");
                    self.fired = when;
                    self.gone.push(key);
                }
                Step::Lowered => {}
                Step::Done => {
                    let late = self.waiting.values().find(|(when, _)| *when <= self.now);
                    assert_eq!(late, None, "due at {} and still there", self.now);
                    return;
                }
            }
        }
    }

    fn check(&mut self) {
        assert_eq!(self.wheel.len(), self.waiting.len());
        let earliest = self.waiting.values().map(|(when, _)| *when).min();
        let told = self.wheel.next_deadline();
        match (told, earliest) {
            (Some(told), Some(earliest)) => assert!(told <= earliest, "{told} is late"),
            (None, Some(earliest)) => panic!("{earliest} is forgotten"),
            _ => {}
        }
        for key in self.gone.iter().rev().take(3) {
            assert_eq!(self.wheel.get_mut(*key), None);
            assert_eq!(self.wheel.remove(*key), None);
            assert_eq!(self.wheel.reset(*key, u64::MAX), Moved::Gone);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn behaves_like_a_sorted_map(ops in prop::collection::vec(op(), 1..80)) {
        let mut checked = Checked {
            wheel: Wheel::new(),
            waiting: BTreeMap::new(),
            gone: Vec::new(),
            now: 0,
            next: 0,
            fired: 0,
        };
        for op in ops {
            let now = checked.now;
            match op {
                Op::Insert(distance) => checked.insert(now.saturating_add(distance)),
                Op::Remove(index) => checked.remove(index),
                Op::Reset(index, distance) => checked.reset(index, now.saturating_add(distance)),
                Op::Advance(distance, steps) => {
                    checked.advance(now.saturating_add(distance), steps);
                }
                Op::CatchUp(distance) => {
                    checked.now = now.saturating_add(distance);
                    checked.wheel.catch_up(checked.now);
                }
            }
            checked.check();
        }
        checked.advance(u64::MAX, usize::MAX);
        prop_assert_eq!(checked.wheel.len(), 0);
        prop_assert_eq!(checked.wheel.next_deadline(), None);
    }

    #[cfg(feature = "test-util")]
    #[test]
    fn refreshed_deadlines_are_exact(whens in prop::collection::vec(1..10_000u64, 2..50)) {
        let mut wheel = Wheel::new();
        let mut keys: Vec<_> = whens.iter().map(|when| (*when, wheel.insert(*when, *when).unwrap())).collect();
        keys.sort_by_key(|(when, _)| *when);
        while let [(when, key), rest @ ..] = &keys[..] {
            wheel.refresh();
            prop_assert_eq!(wheel.next_deadline(), Some(*when));
            prop_assert_eq!(wheel.remove(*key), Some(*when));
            keys = rest.to_vec();
        }
        prop_assert_eq!(wheel.next_deadline(), None);
    }
}

#[test]
fn equal_deadlines_fire_in_order() {
    let mut wheel = Wheel::new();
    for value in 0..100 {
        wheel.insert(5_000, value).unwrap();
    }
    assert!(step_all(&mut wheel, 4_999).is_empty());
    assert_eq!(step_all(&mut wheel, 5_000), (0..100).collect::<Vec<_>>());
}

#[test]
fn an_entry_moves_once_a_level_at_most() {
    let mut wheel = Wheel::new();
    wheel.insert(u64::MAX, 7).unwrap();
    let mut lowered = 0;
    loop {
        match wheel.step(u64::MAX) {
            Step::Due(value) => break assert_eq!(value, 7),
            Step::Lowered => lowered += 1,
            Step::Done => panic!("it was due"),
        }
    }
    assert_eq!(lowered, 10);
}

#[test]
fn memory_of_a_rush_is_given_back() {
    let mut wheel = Wheel::new();
    let keys: Vec<_> = (0..50_000)
        .map(|n| wheel.insert(10 + n, n).unwrap())
        .collect();
    assert!(wheel.capacity() >= 50_000);
    for (n, key) in keys.iter().enumerate() {
        assert_eq!(wheel.remove(*key), Some(n as u64));
    }
    assert!(
        wheel.capacity() < 5_000,
        "{} entries are kept",
        wheel.capacity()
    );
    wheel.insert(10, 0).unwrap();
    assert!(keys.iter().all(|key| wheel.get_mut(*key).is_none()));
}
