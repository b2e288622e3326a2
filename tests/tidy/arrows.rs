//! Who uses whom: paths through `crate::` and `super::`, held against the table of rooms.

use crate::source::{line_of, tokens, Source};
use crate::Complaint;

type Rooms<'a> = &'a [(&'a str, &'a [&'a str])];

/// Complaints about rooms that the file uses without an arrow to them. A face, `(room, above)`,
/// lets the room's `mod.rs` offer what is above it (`pub use`), and nothing use it.
pub(crate) fn check(source: &Source, rooms: Rooms<'_>, faces: &[(&str, &str)]) -> Vec<Complaint> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    let Some((_, allowed)) = rooms.iter().find(|(name, _)| *name == room) else {
        return vec![source.at(0, format_args!("`{room}` is not in the table of rooms"))];
    };
    let mut complaints = Vec::new();
    for (at, target, _) in crate_paths(&source.code) {
        let offered = source.path == format!("src/{room}/mod.rs")
            && is_public_import(&source.code, at)
            && faces.contains(&(room, target));
        let is_room = rooms.iter().any(|(name, _)| *name == target);
        if is_room && target != room && !allowed.contains(&target) && !offered {
            let what = format_args!("no arrow from `{room}` to `{target}`");
            complaints.push(source.at(line_of(&source.code, at), what));
        }
    }
    complaints.extend(escapes(source));
    complaints
}

/// Complaints about `crate::Name` where `Name` is no room: a re-export of the root hides whose it
/// is. What a macro expands to (`$crate::`) is the user's code and takes the public path. A wire,
/// `(room, name)`, is a name that the room takes from the root.
pub(crate) fn root_imports(
    source: &Source,
    rooms: Rooms<'_>,
    wires: &[(&str, &str)],
) -> Vec<Complaint> {
    let Some(room) = source.room() else {
        return Vec::new();
    };
    crate_paths(&source.code)
        .into_iter()
        .filter(|(_, target, in_macro)| {
            let is_room = rooms.iter().any(|(name, _)| name == target);
            !in_macro && !is_room && !wires.contains(&(room, *target))
        })
        .map(|(at, target, _)| {
            let what = format_args!("`crate::{target}` does not name the owning room");
            source.at(line_of(&source.code, at), what)
        })
        .collect()
}

/// Complaints about rooms that use each other in a circle, and about unknown names.
pub(crate) fn circles(rooms: Rooms<'_>) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (room, allowed) in rooms {
        for target in *allowed {
            if !rooms.iter().any(|(name, _)| name == target) {
                complaints.push(format!("`{room}` may use `{target}`, which is no room"));
            }
        }
        if reaches(rooms, allowed, room, rooms.len()) {
            complaints.push(format!("`{room}` is above and below itself"));
        }
    }
    complaints
}

fn reaches(rooms: Rooms<'_>, from: &[&str], goal: &str, steps: usize) -> bool {
    from.iter().any(|room| {
        let next = rooms.iter().find(|(name, _)| name == room);
        *room == goal
            || steps > 0
                && next.is_some_and(|(_, allowed)| reaches(rooms, allowed, goal, steps - 1))
    })
}

/// First name after each `crate::`, with its place and whether it was `$crate::`. Of a group,
/// `crate::{a::X, b}`, every first name.
fn crate_paths(code: &str) -> Vec<(usize, &str, bool)> {
    let tokens = tokens(code);
    let word = |at: usize| tokens.get(at).map_or("", |token| token.1);
    let mut found = Vec::new();
    for at in 0..tokens.len() {
        if word(at) != "crate" || word(at + 1) != ":" || word(at + 2) != ":" {
            continue;
        }
        let in_macro = at > 0 && word(at - 1) == "$";
        if word(at + 3) != "{" {
            found.push((tokens[at].0, word(at + 3), in_macro));
            continue;
        }
        let mut depth = 0;
        for (place, token) in &tokens[at + 3..] {
            let first = depth == 1 && matches!(word_before(&tokens, *place), "{" | ",");
            match *token {
                "{" => depth += 1,
                "}" => depth -= 1,
                name if first => found.push((*place, name, in_macro)),
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    found
}

fn word_before<'a>(tokens: &[(usize, &'a str)], place: usize) -> &'a str {
    let at = tokens.partition_point(|token| token.0 < place);
    at.checked_sub(1).map_or("", |before| tokens[before].1)
}

/// True if the path is all of a `pub use`: nothing stands before it but that.
fn is_public_import(code: &str, at: usize) -> bool {
    let before: Vec<&str> = code[..at].split_whitespace().rev().take(2).collect();
    before == ["use", "pub"]
}

/// Complaints about `super::super::` chains that leave the room.
fn escapes(source: &Source) -> Vec<Complaint> {
    // Modules between the file and its room: `src/room/mod.rs` is the room itself.
    let inside = source.path.trim_end_matches("/mod.rs");
    let depth = inside.split('/').count().saturating_sub(2);
    let tokens = tokens(&source.code);
    let mut complaints = Vec::new();
    let mut inline: Vec<usize> = Vec::new();
    let (mut braces, mut climbed) = (0, 0);
    for (at, (place, token)) in tokens.iter().enumerate() {
        match *token {
            "{" => {
                braces += 1;
                if at >= 2 && tokens[at - 2].1 == "mod" {
                    inline.push(braces);
                }
            }
            "}" => {
                if inline.last() == Some(&braces) {
                    inline.pop();
                }
                braces = braces.saturating_sub(1);
            }
            _ => {}
        }
        match *token {
            "super" => climbed += 1,
            ":" => {}
            _ => climbed = 0,
        }
        if climbed > depth + inline.len() {
            let what = "`super` leads out of the room: name the room instead";
            complaints.push(source.at(line_of(&source.code, *place), what));
            climbed = 0;
        }
    }
    complaints
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROOMS: Rooms<'_> = &[("sync", &[]), ("task", &["sync"]), ("time", &["sync"])];

    const WIRES: &[(&str, &str)] = &[("task", "choose")];
    const FACES: &[(&str, &str)] = &[("task", "time")];

    fn complaints(path: &str, text: &str) -> usize {
        let source = Source::new(path, text);
        check(&source, ROOMS, FACES).len() + root_imports(&source, ROOMS, WIRES).len()
    }

    #[test]
    fn arrows_in_the_table_are_fine() {
        let text = "use crate::sync::{Mutex, Arc};\nuse crate::task::id;\npub(crate) fn a() {}\n\
                    // crate::time::Sleep\n/// [`crate::time`]\nfn b() { \"crate::time\"; }";
        assert_eq!(complaints("src/task/join.rs", text), 0);
    }

    #[test]
    fn arrows_up_and_across_are_not() {
        assert_eq!(complaints("src/task/a.rs", "use crate::time::Sleep;"), 1);
        assert_eq!(
            complaints("src/sync/a.rs", "fn a() { crate::task::id() }"),
            1
        );
        assert_eq!(complaints("src/task/a.rs", "crate\n  ::time::Sleep;"), 1);
        assert_eq!(
            complaints("src/task/a.rs", "use crate::{sync::A, time::{B, C}};"),
            1
        );
        assert_eq!(complaints("src/task/a.rs", "$crate::time::sleep()"), 1);
        let test = "#[cfg(test)] mod tests { use crate::time::Sleep; }";
        assert_eq!(complaints("src/task/a.rs", test), 1);
    }

    #[test]
    fn a_face_offers_and_does_not_use() {
        let offers = "pub use crate::time::sleep;";
        assert_eq!(complaints("src/task/mod.rs", offers), 0);
        assert_eq!(complaints("src/task/a.rs", offers), 1);
        assert_eq!(complaints("src/sync/mod.rs", offers), 1);
        for uses in [
            "use crate::time::sleep;",
            "pub(crate) use crate::time::sleep;",
        ] {
            assert_eq!(complaints("src/task/mod.rs", uses), 1);
        }
    }

    #[test]
    fn the_room_is_named() {
        assert_eq!(complaints("src/task/a.rs", "use crate::Context;"), 1);
        assert_eq!(
            complaints("src/task/a.rs", "use crate::{sync::A, Context};"),
            1
        );
        assert_eq!(complaints("src/task/a.rs", "$crate::spawn()"), 0);
        assert_eq!(complaints("src/task/a.rs", "crate::choose()"), 0);
        assert_eq!(complaints("src/time/a.rs", "crate::choose()"), 1);
        assert_eq!(
            complaints("src/task/a.rs", "pub(in crate::task) fn a() {}"),
            0
        );
        assert_eq!(complaints("src/lib.rs", "use crate::Context;"), 0);
    }

    #[test]
    fn super_stays_in_the_room() {
        let climb = "use super::super::x;";
        assert_eq!(complaints("src/task/a.rs", "use super::x;"), 0);
        assert_eq!(complaints("src/task/a.rs", climb), 1);
        assert_eq!(complaints("src/task/mod.rs", "use super::time;"), 1);
        assert_eq!(complaints("src/task/deep/a.rs", climb), 0);
        assert_eq!(complaints("src/task/deep/mod.rs", climb), 1);
        let nested = "mod tests { use super::super::x; }";
        assert_eq!(complaints("src/task/a.rs", nested), 0);
        assert_eq!(complaints("src/task/a.rs", &format!("{nested}{climb}")), 1);
    }

    #[test]
    fn unknown_rooms_and_circles_are_found() {
        assert_eq!(complaints("src/attic/a.rs", ""), 1);
        assert!(circles(ROOMS).is_empty());
        assert_eq!(circles(&[("a", &["b"]), ("b", &["a"])]).len(), 2);
        assert_eq!(circles(&[("a", &["c"])]).len(), 1);
    }
}
