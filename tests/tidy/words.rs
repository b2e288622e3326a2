//! Words that must not stand in a file, or not without their reason beside them.

use crate::source::{line_of, tokens, Source};
use crate::Complaint;

/// How far above the code its reason may stand.
const REACH: usize = 6;

/// Folders of single machines. In two halves, so that this file does not name one.
const MACHINE_PATHS: &[(&str, &str)] = &[
    ("/wo", "rk/"),
    ("/ho", "me/"),
    ("/ro", "ot/"),
    ("/Us", "ers/"),
];

/// Complaints about work that is announced instead of done.
pub(crate) fn undone(source: &Source) -> Vec<Complaint> {
    let tokens = tokens(&source.code);
    let mut complaints = Vec::new();
    for window in tokens.windows(3) {
        let what = match [window[0].1, window[1].1, window[2].1] {
            [name @ ("todo" | "unimplemented" | "dbg"), "!", "(" | "[" | "{"] => name,
            ["#", "[", name @ "ignore"] => name,
            _ => continue,
        };
        let line = line_of(&source.code, window[0].0);
        complaints.push(source.at(line, format_args!("`{what}` is no way to leave a thing")));
    }
    complaints
}

/// Complaints about `unsafe` blocks and impls without a `SAFETY:` comment.
pub(crate) fn safety(source: &Source) -> Vec<Complaint> {
    let found = tokens(&source.code)
        .windows(2)
        .filter(|pair| pair[0].1 == "unsafe" && matches!(pair[1].1, "{" | "impl"))
        .map(|pair| line_of(&source.code, pair[0].0))
        .collect::<Vec<_>>();
    unexplained(source, &found, "SAFETY:")
}

/// Complaints about atomic orderings stronger than relaxed without an `Ordering:` comment, in code
/// that is not a test. `sync` only passes them on.
pub(crate) fn orderings(source: &Source) -> Vec<Complaint> {
    if source.is_test() || source.room() == Some("sync") {
        return Vec::new();
    }
    let tests = source.test_lines();
    let mut in_use = false;
    let mut found = Vec::new();
    for (place, token) in tokens(&source.code) {
        let line = line_of(&source.code, place);
        match token {
            "use" => in_use = true,
            ";" => in_use = false,
            "Acquire" | "Release" | "AcqRel" | "SeqCst" if !in_use && !tests[line] => {
                found.push(line);
            }
            _ => {}
        }
    }
    found.dedup();
    unexplained(source, &found, "Ordering:")
}

/// Complaints about integration features asked for anywhere but in `integrations/mod.rs`.
pub(crate) fn features(source: &Source, integrations: &[&str]) -> Vec<Complaint> {
    if source.room().is_none() || source.path == "src/integrations/mod.rs" {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for (line, text) in source.uncommented.lines().enumerate() {
        let words: String = text.split_whitespace().collect();
        for feature in integrations {
            if words.contains(&format!("feature=\"{feature}\"")) {
                let what = format_args!("feature `{feature}` belongs in integrations/mod.rs");
                complaints.push(source.at(line, what));
            }
        }
    }
    complaints
}

/// Complaints about paths through `loom` outside `sync`.
pub(crate) fn loom(source: &Source) -> Vec<Complaint> {
    if source.room().is_none_or(|room| room == "sync") {
        return Vec::new();
    }
    tokens(&source.code)
        .windows(2)
        .filter(|pair| pair[0].1 == "loom" && pair[1].1 == ":")
        .map(|pair| {
            let line = line_of(&source.code, pair[0].0);
            source.at(line, "`loom`: only `sync` knows it")
        })
        .collect()
}

/// Complaints about absolute paths of a single machine, comments included.
pub(crate) fn machine_paths(path: &str, text: &str) -> Vec<Complaint> {
    let mut complaints = Vec::new();
    for (line, text) in text.lines().enumerate() {
        for (first, second) in MACHINE_PATHS {
            if text.contains(&format!("{first}{second}")) {
                let line = line + 1;
                complaints.push(format!(
                    "{path}:{line}: names a path of one machine: {text}"
                ));
            }
        }
    }
    complaints
}

/// Complaints about those of the lines that have no comment with `marker` on them or close above.
fn unexplained(source: &Source, lines: &[usize], marker: &str) -> Vec<Complaint> {
    let text: Vec<&str> = source.text.lines().collect();
    let code: Vec<&str> = source.uncommented.lines().collect();
    // The marker must stand in a comment: it is gone where comments are blanked out.
    let explains = |line: usize| {
        text[line].contains(marker) && !code.get(line).is_some_and(|code| code.contains(marker))
    };
    lines
        .iter()
        .filter(|&&line| !(line.saturating_sub(REACH)..=line).any(explains))
        .map(|&line| source.at(line, format_args!("no `// {marker}` comment beside it")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("src/task/a.rs", text)
    }

    #[test]
    fn unfinished_work_is_found() {
        // Put together here, so that whoever searches for marks finds none that is none.
        let [todo, unimplemented, ignore] = ["todo", "unimplemented", "ignore"];
        let found = |text: String| undone(&source(&text)).len();
        assert_eq!(found(format!("{todo}!()")), 1);
        assert_eq!(found(format!("{unimplemented}!(\"x\"); dbg!(x)")), 2);
        assert_eq!(
            found(format!("#[test]\n#[{ignore} = \"slow\"]\nfn a() {{}}")),
            1
        );
        let none = format!("// {todo}!()\n\"dbg!(x)\"; {ignore}(); {todo}(!x)");
        assert_eq!(found(none), 0);
    }

    #[test]
    fn unsafe_needs_its_reason() {
        assert_eq!(safety(&source("fn a() { unsafe { b() } }")).len(), 1);
        assert_eq!(safety(&source("unsafe impl Send for A {}")).len(), 1);
        assert_eq!(safety(&source("// SAFETY: b.\nunsafe { b() }")).len(), 0);
        assert_eq!(safety(&source("\"SAFETY:\";\nunsafe { b() }")).len(), 1);
        let far = format!("// SAFETY: b.{}unsafe {{ b() }}", "\n".repeat(REACH + 1));
        assert_eq!(safety(&source(&far)).len(), 1);
        assert_eq!(safety(&source("unsafe fn a() {}")).len(), 0);
    }

    #[test]
    fn orderings_need_their_reason() {
        assert_eq!(orderings(&source("a.load(Ordering::Acquire);")).len(), 1);
        assert_eq!(orderings(&source("a.load(SeqCst);")).len(), 1);
        assert_eq!(orderings(&source("a.load(Relaxed);")).len(), 0);
        assert_eq!(
            orderings(&source("// Ordering: b.\na.load(Acquire);")).len(),
            0
        );
        assert_eq!(
            orderings(&source("a.load(Acquire); // Ordering: b.")).len(),
            0
        );
        assert_eq!(
            orderings(&source("use Ordering::{Acquire,\nRelease};")).len(),
            0
        );
        let test = "#[cfg(test)]\nmod tests { fn a() { a.load(Acquire); } }";
        assert_eq!(orderings(&source(test)).len(), 0);
        let test = Source::new("src/task/tests/a.rs", "a.load(Acquire)");
        assert_eq!(orderings(&test).len(), 0);
        let sync = Source::new("src/sync/a.rs", "a.load(Acquire)");
        assert_eq!(orderings(&sync).len(), 0);
    }

    #[test]
    fn features_stand_in_one_file() {
        let text = "#[cfg(feature = \"tokio\")]\nfn a() {}";
        assert_eq!(features(&source(text), &["tokio"]).len(), 1);
        let all = "#[cfg(all(unix, feature=\"tokio\"))]";
        assert_eq!(features(&source(all), &["tokio"]).len(), 1);
        assert_eq!(
            features(&source("// feature = \"tokio\""), &["tokio"]).len(),
            0
        );
        assert_eq!(features(&source(text), &["otlp"]).len(), 0);
        let front = Source::new("src/integrations/mod.rs", text);
        assert_eq!(features(&front, &["tokio"]).len(), 0);
    }

    #[test]
    fn loom_stays_in_sync() {
        assert_eq!(loom(&source("use loom::sync::Arc;")).len(), 1);
        assert_eq!(
            loom(&source("// loom::sync\n#[cfg(kamon_loom)] mod a;")).len(),
            0
        );
        let sync = Source::new("src/sync/a.rs", "use loom::sync::Arc;");
        assert_eq!(loom(&sync).len(), 0);
    }

    #[test]
    fn paths_of_one_machine_are_found() {
        let (first, second) = MACHINE_PATHS[0];
        let text = format!("fine\n// see {first}{second}notes\n");
        assert_eq!(machine_paths("a.md", &text).len(), 1);
        assert_eq!(machine_paths("a.md", "a/work b /dev/null").len(), 0);
    }
}
