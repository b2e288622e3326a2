//! Where tests have log lines written to, and read them back.
#![allow(dead_code)] // Each test uses some.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

/// Bytes that were written. Clones share them.
#[derive(Clone, Default, Debug)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn new() -> Lines {
        Lines::default()
    }

    /// All that was written, so far.
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// All that was written, line by line.
    pub(crate) fn all(&self) -> Vec<String> {
        self.text().lines().map(String::from).collect()
    }

    /// The one line that was written, without its end.
    #[track_caller]
    pub(crate) fn one(&self) -> String {
        let text = self.text();
        assert_eq!(text.matches('\n').count(), 1, "{text:?}");
        text.strip_suffix('\n').unwrap().into()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
