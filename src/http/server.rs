//! The server: one thread that accepts connections, answers them, and ends them when it is told to.
//! What is slow runs on a few threads beside it.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::panic::AssertUnwindSafe;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, StatusCode, header};
use serde_json::json;
use smol::future::FutureExt;
use smol::io::{AsyncRead, AsyncWrite};
use smol::lock::Semaphore;
use smol::{Async, LocalExecutor};

use super::adapter::{Impatient, SmolTimer};
use super::answer::{Answer, Fault, json as as_json};
use super::events::Hub;
use super::gate::Gate;
use super::metrics::Metrics;
use super::routes;
use crate::model::{ErrorCode, ErrorObject};
use crate::service::{Host, InTrace, current_trace};

/// The most bytes of a request's head. hyper holds back as much of an answer for each connection, too:
/// of all memory that watchers cost, most is this.
const HEAD_BYTES: usize = 16 * 1024;
/// The most lines of a request's head.
const HEAD_LINES: usize = 64;
/// How long answers that have begun may go on after the stop.
const ENDING: Duration = Duration::from_secs(2);
/// How many slow questions are worked on at a time; the others wait.
const SLOW_QUESTIONS: usize = 4;
/// How many texts are received at a time: each may be long, and all of it is in memory.
const UPLOADS: usize = 4;
/// How many pieces of files are read at a time.
const READS: usize = 16;
/// Files that have to be left for it to begin at all.
const SPARE_FILES: usize = 16;
/// How long nobody is accepted after the system refused one.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What a server allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// The most bytes of a text.
    pub text_bytes: usize,
    /// The most connections at a time, over the socket and over TCP each; more are closed at once.
    pub connections: usize,
    /// How long the head of a request may take.
    pub head_timeout: Duration,
    /// How long the other end may take nothing of an answer, or not say that it has received it.
    pub stall: Duration,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            text_bytes: 64 * 1024 * 1024,
            connections: 512,
            head_timeout: Duration::from_secs(10),
            stall: Duration::from_secs(60),
        }
    }
}

/// A server at work. It stops when it is dropped, and whoever drops it waits for its end.
#[derive(Debug)]
pub struct Server {
    /// Over the socket and over TCP.
    open: [Arc<AtomicUsize>; 2],
    goes_on: Arc<AtomicBool>,
    stop: async_channel::Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Serves whoever connects here and is of this user, or root.
    ///
    /// # Errors
    /// What the system says against the listener or a thread.
    pub fn start(
        service: Arc<dyn Host>,
        listener: UnixListener,
        options: ServerOptions,
    ) -> io::Result<Self> {
        Self::start_with(service, listener, None, options)
    }

    /// The same, and over TCP whoever the gate lets in.
    ///
    /// # Errors
    /// What the system says against a listener or a thread.
    pub fn start_with(
        service: Arc<dyn Host>,
        listener: UnixListener,
        tcp: Option<(TcpListener, Gate)>,
        options: ServerOptions,
    ) -> io::Result<Self> {
        has_room()?;
        let listener = Async::new(listener)?;
        let tcp = tcp.map(|(listener, gate)| Ok::<_, io::Error>((Async::new(listener)?, gate)));
        let tcp = tcp.transpose()?;
        let (stop, stopping) = async_channel::bounded(1);
        let open = [Arc::default(), Arc::default()];
        let counted = open.clone();
        let goes_on = Arc::<AtomicBool>::default();
        let told = Arc::clone(&goes_on);
        let thread = std::thread::Builder::new()
            .name("aloud-http".into())
            .spawn(move || {
                let executor = LocalExecutor::new();
                let serving = serve(
                    &executor,
                    service,
                    (listener, tcp),
                    options,
                    stopping,
                    counted,
                    told,
                );
                smol::block_on(executor.run(serving));
            })?;
        Ok(Self {
            open,
            goes_on,
            stop,
            thread: Some(thread),
        })
    }

    /// How many are connected now.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.open
            .iter()
            .map(|open| open.load(Ordering::Relaxed))
            .sum()
    }

    /// Another process takes up the work after this one's end: watchers are told so then.
    pub fn hand_over(&self) {
        self.goes_on.store(true, Ordering::Relaxed);
    }

    /// Refuses new connections from now on, and lets answers that have begun end, for two seconds at
    /// most; watchers are told. Returns at once.
    pub fn stop(&self) {
        self.stop.close();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the thread that serves HTTP has panicked");
        }
    }
}

/// What every answer needs.
pub(super) struct Shared {
    pub(super) service: Arc<dyn Host>,
    pub(super) hub: Hub,
    pub(super) options: ServerOptions,
    /// Whether another process takes up the work after this one's end.
    pub(super) goes_on: Arc<AtomicBool>,
    pub(super) metrics: Metrics,
    /// Turns to send a text.
    pub(super) uploads: Semaphore,
    /// Turns to read a piece of a file: a folder that hangs holds up nothing else.
    pub(super) reads: Semaphore,
    slow: Semaphore,
}

impl Shared {
    /// Asks what may wait for the disk, on another thread, which works on the same request then.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&dyn Host) -> T + Send + 'static,
    ) -> T {
        let _turn = self.slow.acquire().await;
        let service = Arc::clone(&self.service);
        let trace = current_trace();
        smol::unblock(move || {
            let _entered = InTrace::enter(trace);
            question(&*service)
        })
        .await
    }
}

async fn serve(
    executor: &LocalExecutor<'_>,
    service: Arc<dyn Host>,
    (listener, tcp): (Async<UnixListener>, Option<(Async<TcpListener>, Gate)>),
    options: ServerOptions,
    stopping: async_channel::Receiver<()>,
    [on_socket, on_tcp]: [Arc<AtomicUsize>; 2],
    goes_on: Arc<AtomicBool>,
) {
    let hub = Hub::new(&*service);
    let shared = Rc::new(Shared {
        hub: hub.clone(),
        service: Arc::clone(&service),
        options,
        goes_on,
        metrics: Metrics::new(),
        uploads: Semaphore::new(UPLOADS),
        reads: Semaphore::new(READS),
        slow: Semaphore::new(SLOW_QUESTIONS),
    });
    let telling = executor.spawn(hub.clone().run(service));
    let (all_closed, closed) = async_channel::bounded::<()>(1);
    let door = |gate, open| Door {
        shared: Rc::clone(&shared),
        gate: Rc::new(gate),
        stopping: stopping.clone(),
        open,
        all_closed: all_closed.clone(),
    };
    let (socket, tcp) = (
        (listener, door(Gate::socket(), on_socket)),
        tcp.map(|(listener, gate)| (listener, door(gate, on_tcp))),
    );
    drop(all_closed);
    let on_socket = async {
        let (listener, door) = socket;
        let next = async || {
            let (stream, _) = listener.accept().await?;
            Ok(is_allowed(&stream).then_some(stream))
        };
        door.keep(executor, next).await;
    };
    let on_tcp = async {
        let Some((listener, door)) = tcp else {
            return;
        };
        let next = async || {
            let (stream, _) = listener.accept().await?;
            Ok(is_set_up(&stream, options.stall).then_some(stream))
        };
        door.keep(executor, next).await;
    };
    futures_lite::future::zip(on_socket, on_tcp).await;
    hub.end();
    let patience = async {
        smol::Timer::after(ENDING).await;
    };
    // Nothing is ever sent: it ends when the last connection has.
    let all_over = async {
        let _ = closed.recv().await;
    };
    all_over.or(patience).await;
    drop(telling);
}

/// A listener, and what its connections are given.
struct Door {
    shared: Rc<Shared>,
    gate: Rc<Gate>,
    stopping: async_channel::Receiver<()>,
    open: Arc<AtomicUsize>,
    all_closed: async_channel::Sender<()>,
}

impl Door {
    /// Answers whoever comes next, and whoever comes next, until the stop.
    async fn keep<S: AsyncRead + AsyncWrite + Unpin + 'static>(
        self,
        executor: &LocalExecutor<'_>,
        next: impl AsyncFn() -> io::Result<Option<S>>,
    ) {
        let until_stop = async {
            // Closed, not sent to: every connection sees the same.
            let _ = self.stopping.recv().await;
            None
        };
        futures_lite::pin!(until_stop);
        loop {
            let accepted = async { Some(next().await) };
            let stream = match accepted.or(&mut until_stop).await {
                None => break,
                Some(Ok(None)) => continue,
                Some(Ok(Some(stream))) => stream,
                Some(Err(error)) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    smol::Timer::after(ACCEPT_PAUSE).await;
                    continue;
                }
            };
            if self.open.load(Ordering::Relaxed) >= self.shared.options.connections {
                continue;
            }
            let connection = Connection {
                shared: Rc::clone(&self.shared),
                gate: Rc::clone(&self.gate),
                stopping: self.stopping.clone(),
                _open: Open::one_more(&self.open),
                _until_closed: self.all_closed.clone(),
            };
            executor.spawn(connection.serve(stream)).detach();
        }
    }
}

/// A connection over TCP whose other end goes without a word is found out, and small answers leave at
/// once.
fn is_set_up(stream: &Async<std::net::TcpStream>, stall: Duration) -> bool {
    let set = stream.get_ref().set_nodelay(true);
    #[cfg(target_os = "linux")]
    let set = set.and_then(|()| {
        let milliseconds = u32::try_from(stall.as_millis()).unwrap_or(u32::MAX);
        Ok(rustix::net::sockopt::set_tcp_user_timeout(
            stream,
            milliseconds,
        )?)
    });
    set.inspect_err(|error| tracing::debug!(%error, "a connection has ended already"))
        .is_ok()
}

/// Whether some more files can be opened: smol takes some for itself when it is first used, and panics
/// if it gets none.
fn has_room() -> io::Result<()> {
    let files = (0..SPARE_FILES).map(|_| File::open("/dev/null"));
    files.collect::<io::Result<Vec<_>>>().map(drop)
}

/// Whether the process at the other end is this user's, or root's.
fn is_allowed(stream: &Async<std::os::unix::net::UnixStream>) -> bool {
    match rustix::net::sockopt::socket_peercred(stream) {
        Ok(peer) => peer.uid == rustix::process::geteuid() || peer.uid.is_root(),
        Err(error) => {
            tracing::warn!(%error, "whose a connection is can't be told: it is refused");
            false
        }
    }
}

/// Counts a connection as long as it lives.
struct Open(Arc<AtomicUsize>);

impl Open {
    fn one_more(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(count))
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Connection {
    shared: Rc<Shared>,
    gate: Rc<Gate>,
    stopping: async_channel::Receiver<()>,
    _open: Open,
    _until_closed: async_channel::Sender<()>,
}

impl Connection {
    async fn serve<S: AsyncRead + AsyncWrite + Unpin + 'static>(self, stream: S) {
        let (shared, gate) = (&self.shared, &self.gate);
        let answer = service_fn(|request| async move {
            Ok::<_, std::convert::Infallible>(answer(shared, gate, request).await)
        });
        let connection = http1::Builder::new()
            .timer(SmolTimer)
            .header_read_timeout(shared.options.head_timeout)
            .max_buf_size(HEAD_BYTES)
            .max_headers(HEAD_LINES)
            .serve_connection(Impatient::new(stream, shared.options.stall), answer);
        futures_lite::pin!(connection);
        let over = async { Some(connection.as_mut().await) };
        let stop = async {
            let _ = self.stopping.recv().await;
            None
        };
        let over = if let Some(over) = over.or(stop).await {
            over
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = over {
            tracing::debug!(%error, "a connection has ended early");
        }
    }
}

/// Answers a request that is let in, whatever happens in our own code.
async fn answer(shared: &Rc<Shared>, gate: &Gate, request: Request<Incoming>) -> Answer {
    let (head, body) = request.into_parts();
    let visitor = match gate.admit(&head) {
        Ok(visitor) => visitor,
        Err(refused) => return *refused,
    };
    let origin = head.headers.get(header::ORIGIN).cloned();
    let answering = AssertUnwindSafe(routes::answer(shared, visitor, head, body));
    let answer = answering.catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!("an answer has panicked");
        let error = ErrorObject::new(
            ErrorCode::Panic,
            "the answer failed: this is a fault of aloud",
        )
        .with_remediation("See the log, and report it");
        Fault::new(StatusCode::INTERNAL_SERVER_ERROR, error).into()
    });
    if visitor.is_stranger {
        let status = answer.status();
        let word = if status.is_success() {
            "ok"
        } else {
            "unavailable"
        };
        return as_json(status, &json!({ "status": word }));
    }
    gate.dressed(origin.as_ref(), answer)
}
