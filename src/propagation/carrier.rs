//! Maps and lists of pairs as headers.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasher;

use crate::propagation::{check_header, CodecError, HeaderReader, HeaderWriter};

fn each_of<'a, N, V>(
    pairs: impl IntoIterator<Item = (&'a N, &'a V)>,
    name: &str,
    each: &mut dyn FnMut(&'a str),
) where
    N: AsRef<str> + 'a,
    V: AsRef<str> + 'a,
{
    for (key, value) in pairs {
        if key.as_ref().eq_ignore_ascii_case(name) {
            each(value.as_ref());
        }
    }
}

impl<N: AsRef<str>, V: AsRef<str>> HeaderReader for [(N, V)] {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        each_of(self.iter().map(|(key, value)| (key, value)), name, each);
    }
}

impl<N: AsRef<str>, V: AsRef<str>, const LENGTH: usize> HeaderReader for [(N, V); LENGTH] {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        self.as_slice().each(name, each);
    }
}

impl<N: AsRef<str>, V: AsRef<str>> HeaderReader for Vec<(N, V)> {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        self.as_slice().each(name, each);
    }
}

impl<N: AsRef<str>, V: AsRef<str>, S> HeaderReader for HashMap<N, V, S> {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        each_of(self, name, each);
    }
}

impl<N: AsRef<str>, V: AsRef<str>> HeaderReader for BTreeMap<N, V> {
    fn each<'a>(&'a self, name: &str, each: &mut dyn FnMut(&'a str)) {
        each_of(self, name, each);
    }
}

impl HeaderWriter for Vec<(String, String)> {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        check_header(name, value)?;
        HeaderWriter::remove(self, name);
        self.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.retain(|(key, _)| !key.eq_ignore_ascii_case(name));
    }
}

impl<S: BuildHasher> HeaderWriter for HashMap<String, String, S> {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        check_header(name, value)?;
        HeaderWriter::remove(self, name);
        self.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }
}

impl HeaderWriter for BTreeMap<String, String> {
    fn set(&mut self, name: &str, value: &str) -> Result<(), CodecError> {
        check_header(name, value)?;
        HeaderWriter::remove(self, name);
        self.insert(name.to_owned(), value.to_owned());
        Ok(())
    }

    fn remove(&mut self, name: &str) {
        self.retain(|key, _| !key.eq_ignore_ascii_case(name));
    }
}
