//! Patterns of text.

use std::borrow::Cow;

/// A pattern: `*` stands for any text, `?` for any one character, the rest for itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Glob(Cow<'static, str>);

impl Glob {
    pub(crate) fn new(pattern: impl Into<Cow<'static, str>>) -> Glob {
        Glob(pattern.into())
    }

    /// Whether the whole text is as the pattern says. Takes at most the product of their lengths.
    pub(crate) fn matches(&self, text: &str) -> bool {
        let (mut pattern, mut text) = (self.0.chars(), text.chars());
        // Where to go on if what follows the last `*` does not match here.
        let mut retry = None;
        loop {
            let text_here = text.clone();
            match (pattern.next(), text.next()) {
                (Some('*'), _) => {
                    retry = Some((pattern.clone(), text_here.clone()));
                    text = text_here;
                }
                (Some('?'), Some(_)) => {}
                (Some(wanted), Some(found)) if wanted == found => {}
                (None, None) => return true,
                _ => {
                    // The `*` takes one character more, if there is one.
                    let Some((after, rest)) = &mut retry else {
                        return false;
                    };
                    if rest.next().is_none() {
                        return false;
                    }
                    (pattern, text) = (after.clone(), rest.clone());
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_match_whole_texts() {
        let table = [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "anything", true),
            ("span.*", "span.processing-time", true),
            ("span.*", "span", false),
            ("span*", "span", true),
            ("*.time", "span.wait.time", true),
            ("*.time", "span.times", false),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("a?c", "abc", true),
            ("a?c", "aéc", true),
            ("a?c", "ac", false),
            ("a?", "a", false),
            ("**a", "bba", true),
            ("ab*", "a", false),
            ("[a]", "a", false),
        ];
        for (pattern, text, matches) in table {
            let found = Glob::new(pattern).matches(text);
            assert_eq!(found, matches, "{pattern:?} on {text:?}");
        }
    }

    #[test]
    fn many_stars_take_no_exponential_time() {
        let pattern = "*a".repeat(30) + "b";
        assert!(!Glob::new(pattern).matches(&"a".repeat(1000)));
    }
}
