//! Patches: unified diffs, applied without another program.
//!
//! A hunk names a line, but what counts is that its old lines are found; the sources move, and the
//! nearest place where they are is the one that was meant.

use std::fs;
use std::path::Path;

/// The changes to one file.
#[derive(Debug, PartialEq)]
pub(crate) struct Change {
    pub(crate) path: String,
    hunks: Vec<Hunk>,
}

#[derive(Debug, PartialEq)]
struct Hunk {
    line: usize,
    old: Vec<String>,
    new: Vec<String>,
}

/// Reads a patch; what stands before the first `---` is not part of it.
pub(crate) fn parse(text: &str) -> Result<Vec<Change>, String> {
    let mut changes: Vec<Change> = Vec::new();
    for line in text.lines().skip_while(|line| !line.starts_with("--- ")) {
        if let Some(path) = line.strip_prefix("+++ b/") {
            let (path, hunks) = (path.to_owned(), Vec::new());
            changes.push(Change { path, hunks });
        } else if line.starts_with("--- ") {
        } else if line.starts_with("@@") {
            let change = changes.last_mut().ok_or("a hunk without a file")?;
            let line = line
                .split(['-', ',', ' '])
                .find_map(|word| word.parse().ok())
                .ok_or_else(|| format!("no line number in {line:?}"))?;
            let (old, new) = (Vec::new(), Vec::new());
            change.hunks.push(Hunk { line, old, new });
        } else {
            let hunk = changes
                .last_mut()
                .and_then(|change| change.hunks.last_mut());
            let hunk = hunk.ok_or_else(|| format!("{line:?} is in no hunk"))?;
            let (sign, rest) = line.split_at(line.len().min(1));
            let rest = rest.to_owned();
            match sign {
                "-" => hunk.old.push(rest),
                "+" => hunk.new.push(rest),
                " " | "" => {
                    hunk.old.push(rest.clone());
                    hunk.new.push(rest);
                }
                _ => return Err(format!("{line:?} is no line of a patch")),
            }
        }
    }
    match changes.is_empty() {
        true => Err("it changes nothing".to_owned()),
        false => Ok(changes),
    }
}

impl Change {
    /// Applies the change to the file below `root`.
    pub(crate) fn apply(&self, root: &Path) -> Result<(), String> {
        let text = self.applied(root)?;
        fs::write(root.join(&self.path), text).map_err(|error| format!("{}: {error}", self.path))
    }

    /// What the file below `root` becomes by the change.
    pub(crate) fn applied(&self, root: &Path) -> Result<String, String> {
        let text = fs::read_to_string(root.join(&self.path))
            .map_err(|error| format!("{}: {error}", self.path))?;
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        // From the end, so that the lines that others name stay where they are.
        for hunk in self.hunks.iter().rev() {
            hunk.apply(&mut lines)
                .map_err(|error| format!("{}: {error}", self.path))?;
        }
        Ok(lines.join("\n") + "\n")
    }
}

impl Hunk {
    fn apply(&self, lines: &mut Vec<String>) -> Result<(), String> {
        let named = self.line.saturating_sub(1);
        let last = (lines.len() + 1).saturating_sub(self.old.len());
        let place = (0..last)
            .filter(|&at| lines[at..at + self.old.len()] == self.old[..])
            .min_by_key(|at| at.abs_diff(named));
        match place {
            Some(at) => {
                lines.splice(at..at + self.old.len(), self.new.iter().cloned());
                Ok(())
            }
            None => Err(format!("the lines around line {} have changed", self.line)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATCH: &str =
        "Says what it is.\n\n--- a/x.rs\n+++ b/x.rs\n@@ -2,3 +2,3 @@ fn\n b\n-c\n+C\n d\n";

    fn applied(text: &str) -> Result<String, String> {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        parse(PATCH).unwrap()[0].hunks[0].apply(&mut lines)?;
        Ok(lines.join(""))
    }

    #[test]
    fn a_hunk_is_applied_where_its_old_lines_are() {
        assert_eq!(applied("a\nb\nc\nd\n").unwrap(), "abCd");
        assert_eq!(applied("x\ny\nz\na\nb\nc\nd\n").unwrap(), "xyzabCd");
    }

    #[test]
    fn of_two_places_it_is_the_nearer_one() {
        assert_eq!(applied("a\nb\nc\nd\nb\nc\nd\n").unwrap(), "abCdbcd");
    }

    #[test]
    fn a_stale_patch_is_refused() {
        assert!(applied("a\nb\nchanged\nd\n").is_err());
        assert!(parse("no patch at all").is_err());
    }
}
