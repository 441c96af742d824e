//! One request to a target, and what was answered: over TCP, with TLS for `https://`. It follows no
//! redirects, believes the system's certificates, and every wait and length has a bound.

use std::error::Error;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use futures_rustls::TlsConnector;
use futures_rustls::rustls::crypto::ring;
use futures_rustls::rustls::pki_types::{InvalidDnsNameError, ServerName};
use futures_rustls::rustls::{ClientConfig, RootCertStore};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::http::uri::{InvalidUri, PathAndQuery, Scheme};
use hyper::{Method, Request, StatusCode, Uri, header};
use smol::future::FutureExt;
use smol::io::{AsyncRead, AsyncWrite};
use smol::net::TcpStream;

use super::sign::signature;
use crate::engine::Trace;
use crate::http::adapter::{SHORT, Stream};
use crate::settings::Webhook;

/// How long an answer may take to begin.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the rest of it may take, and how many bytes of it are read before the connection is closed:
/// nothing in it matters.
const ANSWER_TIME: Duration = Duration::from_secs(1);
const ANSWER_BYTES: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SendError {
    #[error("can't connect to {host}: {source}")]
    Connect { host: String, source: io::Error },
    #[error("no secure connection to {host}: {source}")]
    Tls { host: String, source: io::Error },
    #[error("{0}")]
    Certificates(String),
    #[error("the connection broke: {}", cause(.0))]
    Broken(#[from] hyper::Error),
    #[error("no answer within {} s", PATIENCE.as_secs())]
    Timeout,
}

impl SendError {
    /// Whether nobody was reached, so that it says nothing of what was to be told.
    pub(super) fn is_of_target(&self) -> bool {
        match self {
            Self::Connect { .. } | Self::Tls { .. } | Self::Certificates(_) => true,
            Self::Broken(_) | Self::Timeout => false,
        }
    }
}

/// Why requests can't go to an address.
#[derive(Debug, thiserror::Error)]
#[error("no requests can go to the webhook {address}: {reason}; correct its `url` in config.toml")]
pub(crate) struct AddressError {
    address: String,
    reason: String,
}

/// What is to be told.
pub(crate) struct Message<'a> {
    /// The same at each try.
    pub id: &'a str,
    pub body: &'a str,
    pub trace: Option<&'a Trace>,
}

/// What was answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    pub status: StatusCode,
    /// When the receiver wants to be asked again.
    pub retry_after: Option<Duration>,
}

/// Sends requests to one target.
pub(crate) struct Mailer {
    webhook: Webhook,
    host: String,
    port: u16,
    path: PathAndQuery,
    /// The host and the port, as the address has them.
    authority: String,
    tls: Option<Secure>,
}

/// What a connection with TLS takes.
struct Secure {
    name: ServerName<'static>,
    /// Or why there is none. What is owed waits for a system that has certificates.
    connector: Result<TlsConnector, String>,
}

impl Mailer {
    /// # Errors
    /// The address is none.
    pub(crate) fn new(webhook: &Webhook) -> Result<Self, AddressError> {
        let wrong = |reason: String| AddressError {
            address: webhook.address().to_owned(),
            reason,
        };
        let uri: Uri = webhook
            .url
            .parse()
            .map_err(|error: hyper::http::uri::InvalidUri| wrong(error.to_string()))?;
        let authority = uri.authority().ok_or_else(|| wrong("no host".to_owned()))?;
        // The brackets of an IPv6 address belong to the address, not to the host.
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_secure = uri.scheme() == Some(&Scheme::HTTPS);
        let tls = match is_secure {
            true => {
                let name = ServerName::try_from(host.clone())
                    .map_err(|error: InvalidDnsNameError| wrong(error.to_string()))?;
                Some(Secure {
                    name,
                    connector: connector(),
                })
            }
            false => None,
        };
        // Where only a query stands, the root is asked.
        let path = uri.path_and_query().map(|path| match path.as_str() {
            query if query.starts_with('?') => format!("/{query}"),
            path => path.to_owned(),
        });
        let path: PathAndQuery = path
            .as_deref()
            .unwrap_or("/")
            .parse()
            .map_err(|error: InvalidUri| wrong(error.to_string()))?;
        Ok(Self {
            webhook: webhook.clone(),
            port: authority
                .port_u16()
                .unwrap_or(if is_secure { 443 } else { 80 }),
            path,
            authority: authority.as_str().to_owned(),
            host,
            tls,
        })
    }

    /// What keeps every request from going there.
    pub(crate) fn problem(&self) -> Option<&str> {
        let connector = self.tls.as_ref()?.connector.as_ref();
        connector.err().map(String::as_str)
    }

    /// Whether it is at this machine.
    pub(crate) fn is_local(&self) -> bool {
        let address: Option<IpAddr> = self.host.parse().ok();
        self.host == "localhost" || address.is_some_and(|address| address.is_loopback())
    }

    pub(crate) fn webhook(&self) -> &Webhook {
        &self.webhook
    }

    /// Sends it. Dropped before its end, the connection is closed at once.
    ///
    /// # Errors
    /// [`SendError`]; an answer of any status is none.
    pub(crate) async fn send(&self, message: &Message<'_>) -> Result<Received, SendError> {
        let until = Instant::now() + PATIENCE;
        let request = self.request(message);
        let host = || self.host.clone();
        let stream = in_time(until, late, TcpStream::connect((&*self.host, self.port)))
            .await
            .map_err(|source| SendError::Connect {
                host: host(),
                source,
            })?;
        let Some(Secure { name, connector }) = &self.tls else {
            return over(stream, request, until).await;
        };
        let connector = connector
            .as_ref()
            .map_err(|why| SendError::Certificates(why.clone()))?;
        let stream = in_time(until, late, connector.connect(name.clone(), stream))
            .await
            .map_err(|source| SendError::Tls {
                host: host(),
                source,
            })?;
        over(stream, request, until).await
    }

    fn request(&self, message: &Message<'_>) -> Request<Full<Bytes>> {
        // Receivers refuse what is signed for another time than theirs: each try has its own.
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let time = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        let body = message.body.as_bytes();
        let signature = signature(&self.webhook.key, message.id, time, body);
        let mut request = Request::builder()
            .method(Method::POST)
            .uri(self.path.as_str())
            .header(header::HOST, &self.authority)
            .header(header::CONTENT_TYPE, "application/json")
            .header(
                header::USER_AGENT,
                concat!("aloud/", env!("CARGO_PKG_VERSION")),
            )
            .header(header::CONNECTION, "close")
            .header("webhook-id", message.id)
            .header("webhook-timestamp", time)
            .header("webhook-signature", signature);
        if let Some(trace) = message.trace {
            request = request.header("traceparent", trace.traceparent());
            if let Some(state) = trace.tracestate() {
                request = request.header("tracestate", state);
            }
        }
        request
            .body(Full::from(body.to_vec()))
            .expect("every part was read as one of a request before")
    }
}

/// The system's certificates, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
fn connector() -> Result<TlsConnector, String> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    let (believed, _) = roots.add_parsable_certificates(found.certs);
    if believed == 0 {
        let why = found.errors.first().map(|error| format!(" ({error})"));
        let why = why.unwrap_or_default();
        return Err(format!(
            "this system has no certificates to believe{why}: install `ca-certificates`, or name a file \
             of them in SSL_CERT_FILE"
        ));
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config).into())
}

fn late<T>() -> io::Result<T> {
    Err(io::ErrorKind::TimedOut.into())
}

async fn in_time<T>(until: Instant, late: impl FnOnce() -> T, work: impl Future<Output = T>) -> T {
    let timer = async {
        smol::Timer::at(until).await;
        late()
    };
    work.or(timer).await
}

async fn over<S>(
    stream: S,
    request: Request<Full<Bytes>>,
    until: Instant,
) -> Result<Received, SendError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let (mut sender, connection) = http1::handshake(Stream::<_, SHORT>(stream)).await?;
    let driven = async {
        // What went wrong, the request says as well.
        let _ = connection.await;
        smol::future::pending().await
    };
    let asked = async {
        let sending = async { Ok(sender.send_request(request).await?) };
        let answer = in_time(until, || Err(SendError::Timeout), sending).await?;
        let received = Received {
            status: answer.status(),
            retry_after: retry_after(answer.headers()),
        };
        pass_over(answer.into_body()).await;
        Ok(received)
    };
    asked.or(driven).await
}

/// Reads an answer to its end, so that the receiver can write it; a long or slow one is broken off. What
/// counts was said before it.
async fn pass_over(mut body: Incoming) {
    let reading = async {
        let mut read = 0;
        while let Some(Ok(frame)) = body.frame().await {
            read += frame.data_ref().map_or(0, Bytes::len);
            if read > ANSWER_BYTES {
                return;
            }
        }
    };
    let late = async {
        smol::Timer::after(ANSWER_TIME).await;
    };
    reading.or(late).await;
}

fn retry_after(headers: &header::HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(Duration::from_secs(seconds.trim().parse().ok()?))
}

/// hyper's own words are general.
fn cause(error: &hyper::Error) -> String {
    match error.source() {
        Some(source) => source.to_string(),
        None => error.to_string(),
    }
}
