//! The command line: what may be said, and what was.

pub(crate) const USAGE: &str = "\
Usage: cargo run --release --example trace_context -- [OPTIONS]

Serves W3C's test harness for Trace Context on the loopback interface.

  --port N        the port, 0 for any that is free (default 5000)
  --codec NAME    how spans go over HTTP: w3c, b3, b3-single or trace-token; may be said more than once
                  (default w3c)
  --help          print this";

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Command {
    Serve(Arguments),
    Help,
}

/// The settings of one run.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) port: u16,
    pub(crate) codecs: Vec<String>,
}

const CODECS: [&str; 4] = ["w3c", "b3", "b3-single", "trace-token"];

/// Reads the words after the program's name; both `--name value` and `--name=value` will do.
///
/// # Errors
///
/// Says in one line which word is wrong and why.
pub(crate) fn parse(mut words: impl Iterator<Item = String>) -> Result<Command, String> {
    let (mut port, mut codecs) = (5000, Vec::new());
    while let Some(word) = words.next() {
        if matches!(&*word, "--help" | "-h") {
            return Ok(Command::Help);
        }
        let (name, glued) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (&*word, None),
        };
        if !matches!(name, "--port" | "--codec") {
            return Err(format!("`{word}` is not an option"));
        }
        let value = glued.or_else(|| words.next());
        let value = value.ok_or_else(|| format!("{name} wants a value"))?;
        if name == "--port" {
            let number = value.parse();
            port = number.map_err(|_| format!("--port wants a port number, not `{value}`"))?;
        } else if CODECS.contains(&&*value) {
            codecs.push(value);
        } else {
            let known = CODECS.join(", ");
            return Err(format!("--codec wants one of {known}, not `{value}`"));
        }
    }
    if codecs.is_empty() {
        codecs.push("w3c".to_owned());
    }
    Ok(Command::Serve(Arguments { port, codecs }))
}
