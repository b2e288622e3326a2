//! Where a configuration is looked for: each case is a process with a working directory and an
//! environment of its own.
#![cfg(feature = "config")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Tells the one test that it is in the other process.
const CHILD: &str = "KAMON_TEST_CHILD";

/// A directory that goes with the test.
struct Directory(PathBuf);

impl Directory {
    fn new(name: &str) -> Self {
        let name = format!("kamon-config-{name}-{}", std::process::id());
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn with(self, file: &str, service: &str) -> Self {
        let text = format!("[kamon.environment]\nservice = {service}\n");
        fs::write(self.0.join(file), text).unwrap();
        self
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What a program says that loads its configuration there, to the one output and the other.
fn said(directory: &Path, variables: &[(&str, &str)]) -> (String, String) {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "loads", "--nocapture"])
        .current_dir(directory)
        .env_clear()
        .env(CHILD, "yes")
        .envs(variables.iter().copied());
    let Output { stdout, stderr, .. } = command.output().unwrap();
    (
        String::from_utf8(stdout).unwrap(),
        String::from_utf8(stderr).unwrap(),
    )
}

/// The program: nothing where it is a test among others.
#[test]
fn loads() {
    if std::env::var_os(CHILD).is_none() {
        return;
    }
    match kamon::Config::load().and_then(kamon::init) {
        Ok(_) => println!("\nservice: {:?}", kamon::report::service_name()),
        Err(error) => println!("\nerror: {error}"),
    }
}

#[track_caller]
fn assert_said(directory: &Directory, variables: &[(&str, &str)], expected: &str) {
    let (out, err) = said(&directory.0, variables);
    assert!(
        out.lines().any(|line| line.starts_with(expected)),
        "{out}{err}"
    );
}

#[test]
fn in_the_working_directory_or_where_the_variable_says() {
    let none = Directory::new("none");
    assert_said(&none, &[], "service: None");
    let both = Directory::new("both")
        .with("kamon.toml", "\"here\"")
        .with("other.toml", "\"there\"");
    assert_said(&both, &[], "service: Some(\"here\")");
    assert_said(
        &both,
        &[("KAMON_CONFIG", "other.toml")],
        "service: Some(\"there\")",
    );
    // One that is empty is as if it were not set.
    assert_said(&both, &[("KAMON_CONFIG", "")], "service: Some(\"here\")");
    assert_said(
        &both,
        &[("KAMON_SERVICE_NAME", "named")],
        "service: Some(\"named\")",
    );
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let directory = Directory::new("named");
    let missing = [("KAMON_CONFIG", "missing.toml")];
    assert_said(
        &directory,
        &missing,
        "error: missing.toml: cannot be read: ",
    );
    // And one that is there must be readable, named or not.
    fs::create_dir_all(directory.0.join("kamon.toml")).unwrap();
    assert_said(&directory, &[], "error: kamon.toml: cannot be read: ");
}

#[test]
fn a_file_that_is_no_text_or_has_no_end_is_refused() {
    let directory = Directory::new("bytes");
    fs::write(directory.0.join("kamon.toml"), b"kamon = \xff").unwrap();
    assert_said(&directory, &[], "error: kamon.toml: cannot be read: ");
    fs::write(directory.0.join("kamon.toml"), "#".repeat((1 << 20) + 1)).unwrap();
    let problem = "error: kamon.toml: cannot be read: more than 1048576 bytes";
    assert_said(&directory, &[], problem);
    fs::write(directory.0.join("kamon.toml"), "#".repeat(1 << 20)).unwrap();
    assert_said(&directory, &[], "service: None");
}

#[test]
fn a_mistake_is_found_by_file_and_line() {
    let directory = Directory::new("mistake").with("kamon.toml", "7");
    let problem = "error: kamon.toml:2: `kamon.environment.service`: expected a text";
    assert_said(&directory, &[], problem);
}

#[test]
fn warnings_go_to_the_standard_error() {
    let directory = Directory::new("warnings");
    let (_, err) = said(&directory.0, &[("OTEL_TRACES_SAMPLER", "xray")]);
    let line = "kamon: OTEL_TRACES_SAMPLER: \"xray\" is ignored";
    assert!(err.lines().any(|it| it.starts_with(line)), "{err}");
}
