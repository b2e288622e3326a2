//! Where connections come from.

use std::io;
use std::net::SocketAddr;
use std::task::{Context as TaskContext, Poll};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
#[cfg(unix)]
use tokio::net::{UnixListener, UnixStream};

/// Where [`serve`](crate::http::serve) gets its connections from: tokio's listeners, or whatever
/// stands in front of them, as an acceptor of TLS.
pub trait Listener: Send + 'static {
    /// A connection.
    type Connection: AsyncRead + AsyncWrite + Unpin + Send + 'static;

    /// Gives the next connection.
    ///
    /// # Errors
    ///
    /// An error does not end the server. One that says something of a single connection, such as
    /// [`ConnectionAborted`](io::ErrorKind::ConnectionAborted), is passed over, and after any
    /// other the server waits a little, because it may have run out of file descriptors.
    fn poll_accept(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<Self::Connection>>;

    /// Returns where it listens, for the tags of the server's metrics.
    fn local_address(&self) -> Option<SocketAddr> {
        None
    }
}

impl Listener for TcpListener {
    type Connection = TcpStream;

    /// Gives the next connection, with `TCP_NODELAY` set: what hyper writes is meant to go out.
    fn poll_accept(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<TcpStream>> {
        TcpListener::poll_accept(self, cx).map_ok(|(stream, _)| {
            // A connection that is gone already says so when it is read.
            let _ = stream.set_nodelay(true);
            stream
        })
    }

    fn local_address(&self) -> Option<SocketAddr> {
        self.local_addr().ok()
    }
}

#[cfg(unix)]
impl Listener for UnixListener {
    type Connection = UnixStream;

    fn poll_accept(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<UnixStream>> {
        UnixListener::poll_accept(self, cx).map_ok(|(stream, _)| stream)
    }
}
