//! Asks a server of ours through its Unix socket, waiting for each answer on the caller's thread. Every
//! wait and every length has a bound.

use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt, Full};
use hyper::HeaderMap;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, Connection};
use hyper::{Method, Request, Response, header};
use smol::future::FutureExt;
use smol::net::unix::UnixStream;

use super::adapter::{LONG, Stream};
use super::sse::{Parser, ServerEvent};

/// How long the head of an answer may take, and each piece of its body.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long a stream of events may be silent: a server that is well says so three times in between.
const SILENCE: Duration = Duration::from_secs(50);
/// The most bytes of an answer.
const ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// The most bytes of one event.
const EVENT_BYTES: usize = 16 * 1024 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// Nobody answers at the socket.
    #[error("nobody answers at {}: {source}", socket.display())]
    Connect {
        /// The socket.
        socket: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The question can't be written as HTTP.
    #[error("the request can't be written: {0}")]
    Request(#[from] hyper::http::Error),
    /// The connection broke.
    #[error("the connection to the server broke: {0}")]
    Broken(#[from] hyper::Error),
    /// It took too long.
    #[error("the server did not answer within {} s", .0.as_secs())]
    Timeout(Duration),
    /// The answer has no end in sight.
    #[error("the server's answer is longer than {0} bytes")]
    TooLarge(usize),
    /// An event can't be understood.
    #[error("an event of the server can't be understood: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// The server answered, but not with events.
    #[error("the server sends no events: it answered with the status {}", .0.status)]
    NoEvents(Answer),
}

/// What the server said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// As 200 or 404.
    pub status: u16,
    /// JSON, as a rule.
    pub body: Vec<u8>,
}

/// Asks a server, with a connection for each question.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    patience: Duration,
}

impl Client {
    /// A client of the server at this socket. It connects when it is asked something.
    #[must_use]
    pub fn new(socket: &Path) -> Self {
        Self {
            socket: socket.to_owned(),
            patience: PATIENCE,
        }
    }

    /// The same, waiting so long for an answer to begin: ten seconds otherwise.
    #[must_use]
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Asks for what is at this path, percent-encoded and with its query.
    ///
    /// # Errors
    /// [`ClientError`]; an answer of any status is none.
    pub fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.ask(request(Method::GET, path).body(Full::default()))
    }

    /// Sends something to this path. The content type may be empty where nothing is sent.
    ///
    /// # Errors
    /// [`ClientError`]; an answer of any status is none.
    pub fn post(
        &self,
        path: &str,
        content_type: &str,
        headers: &[(&str, &str)],
        body: impl Into<Vec<u8>>,
    ) -> Result<Answer, ClientError> {
        let mut request = request(Method::POST, path);
        if !content_type.is_empty() {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.ask(request.body(Full::from(body.into())))
    }

    /// What happens from now on, or after the event with this id.
    ///
    /// # Errors
    /// [`ClientError`]; [`ClientError::NoEvents`] if the server refuses.
    pub fn events(&self, last_id: Option<&str>) -> Result<Events, ClientError> {
        smol::block_on(self.follow(last_id))
    }

    /// As [`Client::events`], for async callers.
    pub(super) async fn follow(&self, last_id: Option<&str>) -> Result<Events, ClientError> {
        let mut request = request(Method::GET, "/v1/events");
        if let Some(id) = last_id {
            request = request.header("last-event-id", id);
        }
        let request = request.body(Full::default())?;
        let (mut link, answer) = self.begin(request).await?;
        let status = answer.status().as_u16();
        let mut body = answer.into_body();
        if status != 200 {
            let body = link.all(&mut body).await?;
            return Err(ClientError::NoEvents(Answer { status, body }));
        }
        Ok(Events {
            link,
            body,
            parser: Parser::default(),
            ready: Vec::new().into_iter(),
            heard: Instant::now(),
            is_over: false,
        })
    }

    fn ask(
        &self,
        request: Result<Request<Full<Bytes>>, hyper::http::Error>,
    ) -> Result<Answer, ClientError> {
        smol::block_on(self.answer(request?))
    }

    /// As [`Client::get`], for async callers.
    pub(super) async fn read(&self, path: &str) -> Result<Answer, ClientError> {
        self.answer(request(Method::GET, path).body(Full::default())?)
            .await
    }

    /// Asks for one page after the other, as the `Link` in the head of each leads on, and hands them over
    /// until nobody takes them. The next one is asked for as soon as one is on its way: the server writes
    /// it while this one is read.
    pub(super) fn pages(&self, first: &str, pages: &SyncSender<Result<Answer, ClientError>>) {
        let taking = async {
            let get = |path: &str| request(Method::GET, path).body(Full::default());
            let mut begun = self.begin(get(first)?).await?;
            loop {
                let (mut link, answer) = begun;
                let status = answer.status().as_u16();
                let next = next_page(answer.headers()).map(get).transpose()?;
                let mut body = answer.into_body();
                let reading = link.all(&mut body);
                let (body, following) = match next {
                    Some(next) => {
                        let (body, begun) = smol::future::zip(reading, self.begin(next)).await;
                        (body?, Some(begun?))
                    }
                    None => (reading.await?, None),
                };
                let is_taken = pages.send(Ok(Answer { status, body })).is_ok();
                match following.filter(|_| is_taken) {
                    Some(following) => begun = following,
                    None => return Ok(()),
                }
            }
        };
        if let Err(error) = smol::block_on(taking) {
            // Nobody may want to know any more.
            let _ = pages.send(Err(error));
        }
    }

    async fn answer(&self, request: Request<Full<Bytes>>) -> Result<Answer, ClientError> {
        let (mut link, answer) = self.begin(request).await?;
        let status = answer.status().as_u16();
        let body = link.all(&mut answer.into_body()).await?;
        Ok(Answer { status, body })
    }

    /// Sends a request, and waits for the head of its answer.
    async fn begin(
        &self,
        request: Request<Full<Bytes>>,
    ) -> Result<(Link, Response<Incoming>), ClientError> {
        let unconnected = |source| ClientError::Connect {
            socket: self.socket.clone(),
            source,
        };
        let connecting = async { UnixStream::connect(&self.socket).await.map_err(unconnected) };
        let stream = within(self.patience, connecting).await?;
        let (mut sender, connection) = http1::handshake(Stream::<_, LONG>(stream)).await?;
        let mut link = Link(Some(Box::pin(connection)));
        let sending = async { Ok(sender.send_request(request).await?) };
        let answer = within(self.patience, link.during(sending)).await?;
        Ok((link, answer))
    }
}

fn request(method: Method, path: &str) -> hyper::http::request::Builder {
    Request::builder()
        .method(method)
        .uri(path)
        .header(header::HOST, "localhost")
}

/// Where a head says that the next page is, by RFC 8288.
fn next_page(headers: &HeaderMap) -> Option<&str> {
    let link = headers.get(header::LINK)?.to_str().ok()?;
    let (target, relation) = link.strip_prefix('<')?.split_once('>')?;
    (relation == r#"; rel="next""#).then_some(target)
}

async fn within<T>(
    patience: Duration,
    work: impl Future<Output = Result<T, ClientError>>,
) -> Result<T, ClientError> {
    let late = async {
        smol::Timer::after(patience).await;
        Err(ClientError::Timeout(patience))
    };
    work.or(late).await
}

/// What drives a connection.
type Driver = Pin<Box<Connection<Stream<UnixStream, LONG>, Full<Bytes>>>>;

/// A connection, which is at work only while something is awaited of it.
struct Link(Option<Driver>);

impl Link {
    /// Keeps the connection at work while this is awaited.
    async fn during<T>(&mut self, work: impl Future<Output = T>) -> T {
        let driven = async {
            if let Some(connection) = &mut self.0 {
                // What went wrong, the work says as well.
                let _ = connection.await;
            }
            self.0 = None;
            smol::future::pending().await
        };
        work.or(driven).await
    }

    async fn frame(
        &mut self,
        body: &mut Incoming,
        patience: Duration,
    ) -> Result<Option<Bytes>, ClientError> {
        loop {
            let frame = async { Ok(self.during(body.frame()).await.transpose()?) };
            match within(patience, frame)
                .await?
                .map(hyper::body::Frame::into_data)
            {
                None => return Ok(None),
                Some(Ok(data)) => return Ok(Some(data)),
                // Trailers mean nothing here.
                Some(Err(_)) => {}
            }
        }
    }

    async fn all(&mut self, body: &mut Incoming) -> Result<Vec<u8>, ClientError> {
        let mut bytes = Vec::new();
        while let Some(data) = self.frame(body, PATIENCE).await? {
            if bytes.len() + data.len() > ANSWER_BYTES {
                return Err(ClientError::TooLarge(ANSWER_BYTES));
            }
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    }
}

/// What happens, one event after the other, waiting for each. It ends with the stream, and after an
/// error.
pub struct Events {
    link: Link,
    body: Incoming,
    parser: Parser,
    ready: std::vec::IntoIter<ServerEvent>,
    /// When the server was heard of last.
    heard: Instant,
    is_over: bool,
}

impl Events {
    async fn read(&mut self) -> Result<Option<ServerEvent>, ClientError> {
        loop {
            if let Some(event) = self.ready.next() {
                return Ok(Some(event));
            }
            let patience = SILENCE.saturating_sub(self.heard.elapsed());
            let piece = self.link.frame(&mut self.body, patience).await?;
            self.heard = Instant::now();
            let Some(piece) = piece else {
                return Ok(None);
            };
            self.ready = self.parser.take(&piece).into_iter();
            if self.parser.held() > EVENT_BYTES {
                return Err(ClientError::TooLarge(EVENT_BYTES));
            }
        }
    }

    /// The next event, as the iterator has it. It can be dropped while it waits: nothing is lost.
    ///
    /// # Errors
    /// [`ClientError`]
    pub async fn recv(&mut self) -> Option<Result<ServerEvent, ClientError>> {
        if self.is_over {
            return None;
        }
        let event = self.read().await.transpose();
        self.is_over = !matches!(event, Some(Ok(_)));
        event
    }
}

impl Iterator for Events {
    type Item = Result<ServerEvent, ClientError>;

    fn next(&mut self) -> Option<Self::Item> {
        smol::block_on(self.recv())
    }
}

impl std::fmt::Debug for Events {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Events")
            .field("is_over", &self.is_over)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_is_where_the_head_says() {
        let next = |link: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LINK, link.parse().unwrap());
            next_page(&headers).map(str::to_owned)
        };
        assert_eq!(
            next(r#"</v1/tasks?after=a>; rel="next""#).as_deref(),
            Some("/v1/tasks?after=a")
        );
        for none in [r#"</v1/tasks>; rel="prev""#, "/v1/tasks", "<>"] {
            assert_eq!(next(none), None, "{none}");
        }
    }
}
