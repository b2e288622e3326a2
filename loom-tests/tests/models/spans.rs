//! A span is written to until it is finished, finished once, and freed by its last holder.

use kamon_loomed::__model::{ModelSpan, ModelState};
use loom::sync::Arc;
use loom::thread;

use crate::model::check_bounded;
use crate::model::witness::expect;

/// What is said in time is in what is handed over, and what comes too late is not.
#[test]
fn said_in_time_or_too_late() {
    check_bounded("said_in_time_or_too_late", 2, || {
        let span = ModelSpan::new();
        let of_writer = span.clone();
        let writer = thread::spawn(move || of_writer.tag("said"));
        let of_other = span.clone();
        let other = thread::spawn(move || of_other.tag("said too"));
        let said = span.finish();
        let in_time = [writer.join().unwrap(), other.join().unwrap()];

        let said = said.unwrap_or_default();
        for (key, in_time) in ["said", "said too"].into_iter().zip(in_time) {
            let found = said.iter().any(|said| said == key);
            expect(found == in_time, "what is said in time is reported");
        }
    });
}

/// Whoever finishes first has the data, alone; the last one to let go frees it.
#[test]
fn finished_by_one_freed_by_one() {
    check_bounded("finished_by_one_freed_by_one", 3, || {
        let span = ModelSpan::new();
        expect(span.tag("said"), "nobody has finished it");
        let other = span.clone();
        let thread = thread::spawn(move || other.finish());
        let here = span.finish();
        drop(span);
        let there = thread.join().unwrap();

        let said = [here, there];
        let finished = said.iter().flatten().count();
        expect(finished == 1, "a span is finished once");
        let whole = said.iter().flatten().all(|said| said.len() == 1);
        expect(whole, "whoever finishes it has all that was said");
    });
}

/// Whoever finishes with the last handle needs no lock, and has all that was said with the others.
#[test]
fn finished_with_the_last_handle() {
    check_bounded("finished_with_the_last_handle", 3, || {
        let span = ModelSpan::new();
        let other = span.clone();
        let thread = thread::spawn(move || other.tag("said"));
        let said = span.finish_last().unwrap_or_default();
        let in_time = thread.join().unwrap();
        expect(
            said.len() == usize::from(in_time),
            "what is said in time is reported",
        );
    });
}

/// Whoever has the only handle needs no lock to say something and none to finish, and finds all that
/// was said with the others.
#[test]
fn said_and_finished_with_the_only_handle() {
    check_bounded("said_and_finished_with_the_only_handle", 3, || {
        let mut span = ModelSpan::new();
        let other = span.clone();
        let thread = thread::spawn(move || other.tag("there"));
        expect(span.say("here"), "nobody has finished it");
        let said = span.finish_kept().unwrap_or_default();
        let in_time = thread.join().unwrap();
        expect(
            said.len() == 1 + usize::from(in_time),
            "what is said in time is reported",
        );
    });
}

/// Both holders finish with the handle that they have: one of them does.
#[test]
fn finished_once_with_whichever_handle() {
    check_bounded("finished_once_with_whichever_handle", 3, || {
        let span = ModelSpan::new();
        let other = span.clone();
        let thread = thread::spawn(move || other.finish_last());
        let here = span.finish_last();
        let there = thread.join().unwrap();
        let finished = [here, there].iter().flatten().count();
        expect(finished == 1, "a span is finished once");
    });
}

/// A span that nobody finishes is ended by its last holder, who finds all that was said.
#[test]
fn left_open_and_ended_once() {
    check_bounded("left_open_and_ended_once", 3, || {
        let state = Arc::new(ModelState::new());
        let other = state.clone();
        let thread = thread::spawn(move || other.release());
        let here = state.release();
        let there = thread.join().unwrap();
        let last = [here, there].iter().filter(|(last, _)| *last).count();
        let left = [here, there].iter().filter(|(_, left)| *left).count();
        expect(
            (last, left) == (1, 1),
            "the last holder ends it, and no other",
        );

        let span = ModelSpan::new();
        let other = span.clone();
        let thread = thread::spawn(move || other.tag("there"));
        expect(span.tag("here"), "nobody has finished it");
        drop(span);
        expect(thread.join().unwrap(), "nobody has finished it");
    });
}

/// A span is finished by one holder while the other lets go: it is never left open.
#[test]
fn finished_is_not_left_open() {
    check_bounded("finished_is_not_left_open", 3, || {
        let state = Arc::new(ModelState::new());
        let other = state.clone();
        let thread = thread::spawn(move || {
            let finished = other.finish();
            (finished, other.release())
        });
        let here = state.release();
        let (finished, there) = thread.join().unwrap();
        expect(finished, "its holder can finish it");
        let last = [here, there].iter().filter(|(last, _)| *last).count();
        let left = [here, there].iter().filter(|(_, left)| *left).count();
        expect((last, left) == (1, 0), "what is finished is not left open");
    });
}

/// The name is read whole while it is changed.
#[test]
fn renamed_while_it_is_read() {
    check_bounded("renamed_while_it_is_read", 3, || {
        let span = ModelSpan::new();
        let other = span.clone();
        let thread = thread::spawn(move || {
            let first = other.rename("renamed");
            first && other.rename("renamed again")
        });
        let name = span.name();
        let known = ["modelled", "renamed", "renamed again"].contains(&&*name);
        expect(known, "a name is read whole");
        drop(span);
        expect(thread.join().unwrap(), "nobody has finished it");
    });
}
