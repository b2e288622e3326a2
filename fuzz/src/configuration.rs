//! A configuration's text, which comes from inside and may be wrong all the same.

use kamon::config::Loader;
use kamon::ConfigError;

/// The text of a file. It is read, or what is wrong with it is named with a line that it has.
pub fn config(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let none: [(&str, &str); 0] = [];
    let loaded = Loader::new()
        .variables(none)
        .text("kamon.toml", &*text)
        .load();
    match loaded {
        Ok(config) => assert!(config.warnings().is_empty()),
        Err(ConfigError::File { line, problem, .. }) => {
            let lines = 1 + text.matches('\n').count();
            assert!(
                line.is_some_and(|line| (1..=lines).contains(&line)),
                "{line:?} of {lines}"
            );
            assert!(!problem.is_empty());
        }
        Err(other) => panic!("{other:?}"),
    }
}
