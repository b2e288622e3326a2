//! A Rust file as the rules see it: comments and the insides of literals can be blanked out.

/// A file: as it is, without comments, and without comments and literals. All three have the same
/// lines, so that a place in one is the same place in the others.
pub(crate) struct Source {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    /// Comments blanked out.
    pub(crate) uncommented: String,
    /// Comments and the insides of string and character literals blanked out.
    pub(crate) code: String,
}

impl Source {
    pub(crate) fn new(path: impl Into<String>, text: impl Into<String>) -> Self {
        let text = text.into();
        Source {
            path: path.into(),
            uncommented: blank(&text, false),
            code: blank(&text, true),
            text,
        }
    }

    /// The room that the file stands in: `src/ROOM/..`.
    pub(crate) fn room(&self) -> Option<&str> {
        let (room, _) = self.path.strip_prefix("src/")?.split_once('/')?;
        Some(room)
    }

    /// True for `mod.rs` anywhere below `src`, but not for that of tests.
    pub(crate) fn is_room_front(&self) -> bool {
        self.room().is_some() && self.path.ends_with("/mod.rs") && !self.is_test()
    }

    /// True if the whole file is test code: it stands in a `tests` folder or is called so.
    pub(crate) fn is_test(&self) -> bool {
        !self.path.starts_with("src/")
            || self.path.contains("/tests/")
            || self.path.ends_with("/tests.rs")
    }

    /// The lines (from 0) inside `#[cfg(test)] mod .. { .. }`.
    pub(crate) fn test_lines(&self) -> Vec<bool> {
        let mut inside = vec![false; self.code.lines().count()];
        let mut from = 0;
        while let Some(at) = self.code[from..].find("#[cfg(test)]") {
            let start = from + at;
            let end = item_end(&self.code, start);
            for line in line_of(&self.code, start)..=line_of(&self.code, end) {
                if let Some(line) = inside.get_mut(line) {
                    *line = true;
                }
            }
            from = end.max(start + 1);
        }
        inside
    }

    /// Names a place for a complaint. `line` counts from 0.
    pub(crate) fn at(&self, line: usize, what: impl std::fmt::Display) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }
}

/// The line (from 0) that the byte stands in.
pub(crate) fn line_of(text: &str, byte: usize) -> usize {
    text[..byte.min(text.len())].matches('\n').count()
}

/// Words and single punctuation characters, each with the byte it starts at.
pub(crate) fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut rest = code.char_indices().peekable();
    while let Some((start, character)) = rest.next() {
        let mut end = start + character.len_utf8();
        if is_word(character) {
            while let Some((at, next)) = rest.next_if(|(_, next)| is_word(*next)) {
                end = at + next.len_utf8();
            }
        } else if character.is_whitespace() {
            continue;
        }
        found.push((start, &code[start..end]));
    }
    found
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// The byte after the item that starts at `start`: after its `;` or its closing brace.
fn item_end(code: &str, start: usize) -> usize {
    let mut depth = 0_usize;
    for (at, character) in code[start..].char_indices() {
        match character {
            '{' => depth += 1,
            '}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 && (character == ';' || character == '}') {
            return start + at;
        }
    }
    code.len()
}

/// Replaces comments, and the insides of literals if asked, by spaces. Lines stay where they are.
fn blank(text: &str, literals: bool) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    let look = |at: usize| characters.get(at).copied().unwrap_or('\0');
    while at < characters.len() {
        let before = if at == 0 { ' ' } else { look(at - 1) };
        let (end, hide) = match (look(at), look(at + 1)) {
            ('/', '/') => (find(&characters, at, |it| look(it) == '\n'), true),
            ('/', '*') => (block_comment_end(&characters, at), true),
            ('"', _) => (string_end(&characters, at, 0), literals),
            ('r', '"' | '#') if !is_word(before) || before == 'b' || before == 'c' => {
                let quote = find(&characters, at + 1, |it| look(it) != '#');
                if look(quote) == '"' {
                    (string_end(&characters, quote, quote - at - 1), literals)
                } else {
                    (at + 1, false) // r#identifier
                }
            }
            // A lifetime has no closing quote where a character would have it.
            ('\'', '\\') => (
                find(&characters, at + 3, |it| look(it) == '\'') + 1,
                literals,
            ),
            ('\'', _) if look(at + 2) == '\'' => (at + 3, literals),
            _ => (at + 1, false),
        };
        let end = end.min(characters.len());
        for &character in &characters[at..end] {
            let keep = !hide || character == '\n';
            out.push(if keep { character } else { ' ' });
        }
        at = end;
    }
    out
}

fn find(characters: &[char], from: usize, stop: impl Fn(usize) -> bool) -> usize {
    (from..characters.len())
        .find(|&at| stop(at))
        .unwrap_or(characters.len())
}

/// Block comments nest.
fn block_comment_end(characters: &[char], start: usize) -> usize {
    let mut depth = 0;
    let mut at = start;
    while at < characters.len() {
        match (characters[at], characters.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            return at;
        }
    }
    at
}

/// The place after the string whose opening quote stands at `quote`. With hashes it is a raw one.
fn string_end(characters: &[char], quote: usize, hashes: usize) -> usize {
    let raw = quote > 0 && (hashes > 0 || characters[quote - 1] == 'r');
    let mut at = quote + 1;
    while at < characters.len() {
        match characters[at] {
            '\\' if !raw => at += 1,
            '"' if (1..=hashes).all(|it| characters.get(at + it) == Some(&'#')) => {
                return at + 1 + hashes;
            }
            _ => {}
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_literals_are_blanked() {
        let text = "a /* b /* c */ d */ e // f\n\"g // h\" 'i' '\\'' 'j r#\"k\"l\"# r\"m\\\" r#n\n";
        let source = Source::new("src/x.rs", text);
        assert_eq!(
            source.code.split_whitespace().collect::<String>(),
            "ae'jr#n"
        );
        assert!(source.uncommented.contains("g // h"));
        assert!(!source.uncommented.contains('f'));
        assert_eq!(source.code.len(), text.len());
        assert_eq!(source.code.lines().count(), 2);
    }

    #[test]
    fn test_modules_are_found() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n fn b() {}\n}\nfn c() {}\n";
        let lines = Source::new("src/x.rs", text).test_lines();
        assert_eq!(lines, [false, true, true, true, true, false]);
        let text = "#[cfg(test)]\nmod tests;\nfn c() {}\n";
        let lines = Source::new("src/x.rs", text).test_lines();
        assert_eq!(lines, [true, true, false]);
    }

    #[test]
    fn rooms_are_read_off_the_path() {
        assert_eq!(Source::new("src/task/id.rs", "").room(), Some("task"));
        assert_eq!(Source::new("src/lib.rs", "").room(), None);
        assert_eq!(Source::new("tests/task/id.rs", "").room(), None);
        assert!(Source::new("src/task/set/mod.rs", "").is_room_front());
        assert!(!Source::new("src/task/tests/mod.rs", "").is_room_front());
        assert!(!Source::new("src/task/id.rs", "").is_room_front());
    }
}
