//! Colfer is written and read as by the classes that Kamon has generated for it: their vectors in
//! `tests/vectors/kamon_binary.json`, on the library's own sources, compiled here a second time because
//! they are nobody's face. (In the library's own tests a reader of JSON would be in the way: with it,
//! `assert_eq!(list, [])` no longer says of which type.)

#[path = "../src/propagation"]
mod propagation {
    pub(crate) mod colfer {
        #[path = "../../../tests/colfer/cases.rs"]
        mod cases;
        mod error;
        mod message;
        mod read;
        mod span;
        mod tags;
        mod write;
    }
}
