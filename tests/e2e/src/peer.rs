//! A service of another make, in a process of its own.

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

/// How to make a peer ready and start it.
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// What must be there, with the argument that has it tell its version.
    tools: &'static [&'static str],
    install: fn(&Path, &Path) -> Vec<Command>,
    start: fn(&Path, &Path) -> Command,
}

/// The peers there are.
pub(crate) const KINDS: [Kind; 2] = [
    Kind {
        name: "node",
        tools: &["node", "npm"],
        install: |source, home| {
            let mut npm = Command::new("npm");
            npm.args(["install", "--no-audit", "--no-fund", "--no-package-lock"])
                .arg("--prefix")
                .arg(home);
            let mut copy = Command::new("cp");
            copy.args([source.join("package.json"), source.join("peer.js")])
                .arg(home);
            vec![copy, npm]
        },
        start: |_, home| {
            let mut node = Command::new("node");
            node.arg(home.join("peer.js"));
            node
        },
    },
    Kind {
        name: "python",
        tools: &["python3"],
        install: |source, home| {
            let mut venv = Command::new("python3");
            venv.args(["-m", "venv"]).arg(home);
            let mut pip = Command::new(home.join("bin/pip"));
            pip.args(["install", "--quiet", "--disable-pip-version-check", "-r"])
                .arg(source.join("requirements.txt"));
            vec![venv, pip]
        },
        start: |source, home| {
            let mut python = Command::new(home.join("bin/python"));
            python.arg(source.join("peer.py"));
            python
        },
    },
];

impl Kind {
    /// Installs the peer's packages, unless that was done before.
    ///
    /// # Errors
    ///
    /// Says what there is none of here, or what could not be fetched.
    pub(crate) fn install(&self) -> Result<(), String> {
        for tool in self.tools {
            let mut version = Command::new(tool);
            version.arg("--version").stdout(Stdio::null());
            run(version).map_err(|error| format!("no {tool}: {error}"))?;
        }
        let (source, home) = (self.source(), self.home());
        std::fs::create_dir_all(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        for step in (self.install)(&source, &home) {
            let line = format!("{step:?}");
            run(step).map_err(|error| format!("{line}: {error}"))?;
        }
        Ok(())
    }

    /// Starts the peer, which speaks that format.
    ///
    /// # Errors
    ///
    /// Says why it does not run.
    pub(crate) fn start(&self, format: &str) -> Result<Peer, String> {
        let mut command = (self.start)(&self.source(), &self.home());
        let command = command.arg(format).stdout(Stdio::piped());
        let child = command.spawn().map_err(|error| error.to_string())?;
        let mut peer = Peer {
            name: self.name,
            child,
            url: String::new(),
        };
        let stdout = peer.child.stdout.take().ok_or("it prints nowhere")?;
        let mut line = String::new();
        BufReader::new(stdout)
            .read_line(&mut line)
            .map_err(|error| error.to_string())?;
        let port = line.trim().strip_prefix("listening ");
        let port = port.ok_or_else(|| format!("it says {line:?}"))?;
        peer.url = format!("http://127.0.0.1:{port}");
        Ok(peer)
    }

    fn source(&self) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join(self.name)
    }

    fn home(&self) -> PathBuf {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        root.join("target/e2e").join(self.name)
    }
}

fn run(mut command: Command) -> Result<(), String> {
    let status = command.status().map_err(|error| error.to_string())?;
    match status.success() {
        true => Ok(()),
        false => Err(status.to_string()),
    }
}

/// A peer that runs until this is dropped.
pub(crate) struct Peer {
    pub(crate) name: &'static str,
    pub(crate) url: String,
    child: Child,
}

impl Drop for Peer {
    fn drop(&mut self) {
        // One that has ended already has nothing to be told.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
