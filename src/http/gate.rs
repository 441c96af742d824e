//! Whom the server answers: decided from a request's head alone, before anything else is done with it.
//!
//! Over TCP every name that a browser may be led to by a stranger's page is refused (DNS rebinding), and
//! so is every page of another origin that is not listed; where there is a token, it must be sent. The
//! socket has no token, for its peers are this user's own; but a browser may come to it as well, through
//! a tunnel, and is held to the same.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::http::uri::Authority;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::answer::{Answer, Fault, empty};
use crate::model::ErrorObject;

/// The port where none is named.
const PORT: u16 = 8480;
/// The fewest characters of a token: shorter ones can be guessed.
const TOKEN_CHARACTERS: usize = 16;
/// What pages of listed origins may send.
const SENT: &str = "authorization, content-type, idempotency-key, last-event-id, range, traceparent, \
    x-aloud-name";
/// What pages of listed origins may read, beside what every page may.
const READ: &str =
    "accept-ranges, content-disposition, content-range, etag, link, retry-after, x-aloud-ignored";
/// How many seconds a browser may remember what it may do.
const REMEMBERED: &str = "600";

/// Why nobody is let in as it was wished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// It is no address.
    #[error(
        "`{0}` is no address to listen at: write it as 127.0.0.1:8480, [::1]:8480, localhost or 0.0.0.0"
    )]
    Address(String),
    /// Others than this machine would reach it, and no token keeps them out.
    #[error(
        "at {0} other machines can reach aloud, so a token is needed: set `token` under `[http]` or \
         ALOUD_HTTP_TOKEN to 16 characters or more (`openssl rand -hex 16` makes one), or listen at \
         127.0.0.1"
    )]
    NoToken(SocketAddr),
    /// The token could be guessed, or can't be sent.
    #[error(
        "the token of `[http]` must be 16 characters or more, of ASCII and without blanks: \
         `openssl rand -hex 16` makes one"
    )]
    Token,
    /// It is no name of a host.
    #[error(
        "`{0}` under `hosts` of `[http]` is no name of a host: write it as box.lan, without a port"
    )]
    Host(String),
    /// It is no origin.
    #[error("`{0}` under `origins` of `[http]` is no origin: write it as https://reader.example")]
    Origin(String),
}

/// The address that is meant by `ADDRESS` or `ADDRESS:PORT`; the port is 8480 where none is named.
///
/// ```
/// use aloud::http::address;
///
/// assert_eq!(address("127.0.0.1")?.to_string(), "127.0.0.1:8480");
/// assert_eq!(address("localhost:80")?.to_string(), "127.0.0.1:80");
/// assert_eq!(address("[::1]:0")?.to_string(), "[::1]:0");
/// assert!(address("box.lan:80").is_err(), "names of other machines are no addresses of this one");
/// # Ok::<(), aloud::http::GateError>(())
/// ```
///
/// # Errors
/// [`GateError::Address`].
pub fn address(text: &str) -> Result<SocketAddr, GateError> {
    let text = text.trim();
    if let Ok(address) = text.parse() {
        return Ok(address);
    }
    let bare = text
        .strip_prefix('[')
        .and_then(|text| text.strip_suffix(']'));
    if let Ok(ip) = bare.unwrap_or(text).parse::<IpAddr>() {
        return Ok((ip, PORT).into());
    }
    let (name, port) = match text.split_once(':') {
        Some((name, port)) => (name, port.parse().ok()),
        None => (text, Some(PORT)),
    };
    match port.filter(|_| name.eq_ignore_ascii_case("localhost")) {
        Some(port) => Ok(([127, 0, 0, 1], port).into()),
        None => Err(GateError::Address(text.to_owned())),
    }
}

/// Whom a server answers.
#[derive(Clone, Debug)]
pub struct Gate {
    at: At,
    token: Option<Token>,
    hosts: Vec<String>,
    origins: Vec<String>,
}

/// Where it listens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum At {
    Socket,
    Tcp(IpAddr),
}

/// What is kept of a token: enough to know it again.
#[derive(Clone)]
struct Token {
    salt: [u8; 16],
    hash: [u8; 32],
}

impl Token {
    fn new(token: &str) -> Self {
        let salt = uuid::Uuid::new_v4().into_bytes();
        let hash = Self::hash(&salt, token.as_bytes());
        Self { salt, hash }
    }

    fn hash(salt: &[u8], token: &[u8]) -> [u8; 32] {
        Sha256::new()
            .chain_update(salt)
            .chain_update(token)
            .finalize()
            .into()
    }

    /// However long this takes tells nothing of the token: whoever asks does not know the salt, so the
    /// first byte that differs is nothing they can choose.
    fn is(&self, sent: &[u8]) -> bool {
        Self::hash(&self.salt, sent) == self.hash
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token")
    }
}

/// Someone who was let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Visitor {
    /// Whether they may name files and folders of this machine.
    pub(super) names_paths: bool,
    /// Whether they are only told whether all is well: they have not shown the token.
    pub(super) is_stranger: bool,
}

impl Gate {
    /// For a socket that this user alone can open: pages that a browser has come to it with are let in
    /// under these names and from these origins only, as over TCP.
    #[must_use]
    pub fn socket() -> Self {
        Self {
            at: At::Socket,
            token: None,
            hosts: Vec::new(),
            origins: Vec::new(),
        }
    }

    /// For TCP at this address.
    ///
    /// # Errors
    /// [`GateError`]: beyond loopback there must be a token.
    pub fn tcp(
        at: SocketAddr,
        token: Option<&str>,
        hosts: &[String],
        origins: &[String],
    ) -> Result<Self, GateError> {
        match token {
            None if !at.ip().to_canonical().is_loopback() => return Err(GateError::NoToken(at)),
            Some(token)
                if token.len() < TOKEN_CHARACTERS
                    || !token.bytes().all(|byte| byte.is_ascii_graphic()) =>
            {
                return Err(GateError::Token);
            }
            _ => {}
        }
        for host in hosts {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
            if host.is_empty() || !host.bytes().all(is_plain) {
                return Err(GateError::Host(host.clone()));
            }
        }
        for origin in origins {
            let named = origin.split_once("://");
            let is_origin = named.is_some_and(|(scheme, rest)| {
                matches!(scheme, "http" | "https")
                    && Authority::from_str(rest).is_ok_and(|rest| !rest.as_str().contains('@'))
            });
            if !is_origin {
                return Err(GateError::Origin(origin.clone()));
            }
        }
        Ok(Self {
            at: At::Tcp(at.ip().to_canonical()),
            token: token.map(Token::new),
            hosts: hosts.to_vec(),
            origins: origins.to_vec(),
        })
    }

    /// Lets a request in, or answers it here.
    pub(super) fn admit(&self, head: &Parts) -> Result<Visitor, Box<Answer>> {
        let refused = |fault: Fault| Box::new(Answer::from(fault));
        let host = self.host(head).map_err(refused)?;
        let origin = self.origin(head, host.as_ref()).map_err(refused)?;
        let wishes = &head.headers;
        if head.method == Method::OPTIONS
            && let Some(origin) = &origin
            && wishes.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
        {
            return Err(Box::new(preflight(origin, wishes)));
        }
        let is_known = self.token.as_ref().is_none_or(|token| shows(token, wishes));
        // Whoever watches over the program has no token, and learns nothing but that.
        let is_probe = matches!(head.uri.path(), "/livez" | "/readyz");
        if !is_known && !is_probe {
            return Err(Box::new(
                self.dressed(origin.as_ref(), unauthorized().into()),
            ));
        }
        Ok(Visitor {
            names_paths: self.at == At::Socket && !wishes.contains_key(header::ORIGIN),
            is_stranger: !is_known,
        })
    }

    /// An answer with what a page of a listed origin needs to read it.
    pub(super) fn dressed(&self, origin: Option<&HeaderValue>, mut answer: Answer) -> Answer {
        if self.origins.is_empty() {
            return answer;
        }
        let headers = answer.headers_mut();
        headers.append(header::VARY, HeaderValue::from_static("origin"));
        if let Some(origin) = origin.filter(|origin| self.lists(origin)) {
            headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            let read = HeaderValue::from_static(READ);
            headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, read);
        }
        answer
    }

    /// By which name the server was called.
    fn host(&self, head: &Parts) -> Result<Option<Authority>, Fault> {
        let mut named = head.headers.get_all(header::HOST).iter();
        let (first, second) = (named.next(), named.next());
        let host = match (first, second) {
            (None, _) if self.at == At::Socket => return Ok(head.uri.authority().cloned()),
            (Some(host), None) => host.to_str().ok().and_then(|host| host.parse().ok()),
            _ => None,
        };
        let host: Authority =
            host.ok_or_else(|| Fault::malformed("the host is not named as it should be"))?;
        // A request may name it twice.
        for name in [Some(&host), head.uri.authority()].into_iter().flatten() {
            if !self.answers_to(name) {
                return Err(forbidden(
                    "HOST_NOT_ALLOWED",
                    format!("this program does not answer to the name {}", name.host()),
                    "Call it localhost or by its address, or add the name to `hosts` under `[http]`",
                ));
            }
        }
        Ok(Some(host))
    }

    fn answers_to(&self, name: &Authority) -> bool {
        let host = name.host();
        let is_listed = self
            .hosts
            .iter()
            .any(|listed| listed.eq_ignore_ascii_case(host));
        if is_listed || host.eq_ignore_ascii_case("localhost") {
            return !name.as_str().contains('@');
        }
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'));
        let ip = bare.unwrap_or(host).parse::<IpAddr>().ok();
        let ip = ip.map(|ip| ip.to_canonical());
        match (self.at, ip) {
            // No page of a stranger's has an address for its name, whoever is asked for it.
            (At::Socket, Some(_)) => true,
            // Nor has one a name without a dot.
            (At::Socket, None) => !host.contains('.'),
            (At::Tcp(bound), Some(ip)) => {
                let is_local = bound.is_loopback() && ip.is_loopback();
                bound.is_unspecified() || bound == ip || is_local
            }
            (At::Tcp(_), None) => false,
        }
    }

    /// The origin of the page that asks, if it is another than this server.
    fn origin(&self, head: &Parts, host: Option<&Authority>) -> Result<Option<HeaderValue>, Fault> {
        let mut named = head.headers.get_all(header::ORIGIN).iter();
        let (Some(origin), second) = (named.next(), named.next()) else {
            return Ok(None);
        };
        let text = origin.to_str().unwrap_or_default();
        let is_ours = host.is_some_and(|host| {
            let rest = text
                .strip_prefix("http://")
                .or(text.strip_prefix("https://"));
            rest.is_some_and(|rest| rest.eq_ignore_ascii_case(host.as_str()))
        });
        if second.is_none() && is_ours {
            return Ok(None);
        }
        if second.is_none() && self.lists(origin) {
            return Ok(Some(origin.clone()));
        }
        Err(forbidden(
            "ORIGIN_NOT_ALLOWED",
            "pages of this origin may not use this program".to_owned(),
            "Add the origin to `origins` under `[http]` if it is to be trusted",
        ))
    }

    fn lists(&self, origin: &HeaderValue) -> bool {
        let known = |listed: &String| origin.as_bytes().eq_ignore_ascii_case(listed.as_bytes());
        self.origins.iter().any(known)
    }
}

/// Whether the head of a request has the token: as programs send it, or as the password that a browser
/// asks for.
fn shows(token: &Token, headers: &HeaderMap) -> bool {
    let sent = headers
        .get(header::AUTHORIZATION)
        .map(HeaderValue::as_bytes);
    let Some(sent) = sent else {
        return false;
    };
    let Some(blank) = sent.iter().position(|byte| *byte == b' ') else {
        return false;
    };
    let (scheme, rest) = (&sent[..blank], sent[blank..].trim_ascii());
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return token.is(rest);
    }
    scheme.eq_ignore_ascii_case(b"basic")
        && BASE64_STANDARD.decode(rest).is_ok_and(|pair| {
            let colon = pair.iter().position(|byte| *byte == b':');
            colon.is_some_and(|colon| token.is(&pair[colon + 1..]))
        })
}

fn forbidden(code: &'static str, message: String, advice: &str) -> Fault {
    let error = ErrorObject::new(code, message).with_remediation(advice);
    Fault::new(StatusCode::FORBIDDEN, error)
}

fn unauthorized() -> Fault {
    let error = ErrorObject::new("UNAUTHORIZED", "the token is missing or wrong")
        .with_remediation("Send `Authorization: Bearer TOKEN`, with the token of the settings");
    // A browser asks a person for it; the name is of no account.
    let ask = HeaderValue::from_static("Bearer realm=\"aloud\", Basic realm=\"aloud\"");
    Fault::new(StatusCode::UNAUTHORIZED, error).with_header(header::WWW_AUTHENTICATE, ask)
}

/// What a page of a listed origin may do.
fn preflight(origin: &HeaderValue, wishes: &HeaderMap) -> Answer {
    const PRIVATE: HeaderName = HeaderName::from_static("access-control-request-private-network");
    const GRANTED: HeaderName = HeaderName::from_static("access-control-allow-private-network");
    let mut answer = empty(StatusCode::NO_CONTENT);
    let headers = answer.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
    let plain = HeaderValue::from_static;
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        plain("GET, HEAD, POST"),
    );
    headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, plain(SENT));
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, plain(REMEMBERED));
    headers.insert(header::VARY, plain("origin"));
    if wishes.contains_key(PRIVATE) {
        headers.insert(GRANTED, plain("true"));
    }
    answer
}

#[cfg(test)]
mod tests {
    use hyper::Request;

    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn at(bound: &str, token: Option<&str>) -> Gate {
        let (hosts, origins) = (
            ["box.lan".to_owned()],
            ["https://reader.example".to_owned()],
        );
        Gate::tcp(bound.parse().unwrap(), token, &hosts, &origins).unwrap()
    }

    fn asked(
        gate: &Gate,
        method: &str,
        uri: &str,
        headers: &[(&str, &str)],
    ) -> Result<Visitor, Box<Answer>> {
        let mut request = Request::builder().method(method).uri(uri);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        gate.admit(&head)
    }

    /// The status that a request gets at the gate; 200 is let in.
    fn status(gate: &Gate, headers: &[(&str, &str)]) -> u16 {
        match asked(gate, "GET", "/v1/info", headers) {
            Ok(_) => 200,
            Err(answer) => answer.status().as_u16(),
        }
    }

    fn called(gate: &Gate, host: &str) -> u16 {
        status(gate, &[("host", host)])
    }

    #[test]
    fn a_name_that_a_stranger_can_own_is_not_answered() {
        let local = at("127.0.0.1:8480", None);
        for host in [
            "localhost",
            "LOCALHOST:9000",
            "127.0.0.1",
            "127.0.0.1:8480",
            "[::1]:8480",
            "box.lan:80",
            "Box.Lan",
        ] {
            assert_eq!(called(&local, host), 200, "{host}");
        }
        for host in [
            "evil.example",
            "localhost.evil.example",
            "evil.example:8480",
            "192.168.1.5",
            "aloud",
            "127.0.0.1.evil.example",
            "[::2]",
            "0.0.0.0",
        ] {
            assert_eq!(called(&local, host), 403, "{host}");
        }
        for host in ["", "a b", "localhost/evil", "[::1"] {
            assert_eq!(called(&local, host), 400, "{host}");
        }
        assert_eq!(called(&local, "evil@localhost"), 403);
        assert_eq!(status(&local, &[]), 400);
        assert_eq!(
            status(&local, &[("host", "localhost"), ("host", "evil.example")]),
            400
        );
        let twice = asked(
            &local,
            "GET",
            "http://evil.example/v1/info",
            &[("host", "localhost")],
        );
        assert_eq!(twice.unwrap_err().status(), 403);

        // At one address, that one; at all of them, any: a page has a name.
        let one = at("192.168.1.5:80", Some(TOKEN));
        let all = at("0.0.0.0:80", Some(TOKEN));
        let with = |gate, host| {
            let token = format!("Bearer {TOKEN}");
            status(gate, &[("host", host), ("authorization", &token)])
        };
        assert_eq!(
            (with(&one, "192.168.1.5"), with(&one, "192.168.1.6")),
            (200, 403)
        );
        assert_eq!(
            (with(&all, "10.0.0.1:80"), with(&all, "[fe80::1]")),
            (200, 200)
        );
        assert_eq!(
            (with(&all, "evil.example"), with(&all, "box.lan")),
            (403, 200)
        );
    }

    #[test]
    fn through_a_tunnel_to_the_socket_a_browser_is_held_to_the_same() {
        let socket = Gate::socket();
        for host in ["localhost", "aloud", "x", "127.0.0.1:9000"] {
            assert_eq!(called(&socket, host), 200, "{host}");
        }
        assert_eq!(status(&socket, &[]), 200);
        assert_eq!(called(&socket, "evil.example"), 403);
        let page = |origin| {
            asked(
                &socket,
                "POST",
                "/v1/tasks",
                &[("host", "localhost:9000"), ("origin", origin)],
            )
        };
        assert_eq!(page("https://evil.example").unwrap_err().status(), 403);
        // Its own page may ask, but names no files.
        let own = page("http://localhost:9000").unwrap();
        assert!(!own.names_paths);
        assert!(asked(&socket, "GET", "/", &[]).unwrap().names_paths);
    }

    #[test]
    fn pages_of_other_origins_are_refused_unless_they_are_listed() {
        let gate = at("127.0.0.1:8480", None);
        let from = |origin| status(&gate, &[("host", "127.0.0.1:8480"), ("origin", origin)]);
        for origin in [
            "http://127.0.0.1:8480",
            "https://127.0.0.1:8480",
            "https://reader.example",
        ] {
            assert_eq!(from(origin), 200, "{origin}");
        }
        for origin in [
            "null",
            "",
            "https://evil.example",
            "http://localhost:8480",
            "http://127.0.0.1",
            "http://127.0.0.1:80",
            "https://reader.example.evil.example",
            "http://reader.example",
            "file://",
        ] {
            assert_eq!(from(origin), 403, "{origin}");
        }
        let two = [
            ("host", "localhost"),
            ("origin", "http://localhost"),
            ("origin", "http://evil.example"),
        ];
        assert_eq!(status(&gate, &two), 403);
        // What comes over TCP never names a path.
        assert!(
            !asked(&gate, "GET", "/", &[("host", "localhost")])
                .unwrap()
                .names_paths
        );

        let ask = |origin| {
            let wishes = [
                ("host", "localhost"),
                ("origin", origin),
                ("access-control-request-method", "POST"),
                ("access-control-request-private-network", "true"),
            ];
            asked(
                &at("127.0.0.1:8480", Some(TOKEN)),
                "OPTIONS",
                "/v1/tasks",
                &wishes,
            )
            .unwrap_err()
        };
        let granted = ask("https://reader.example");
        assert_eq!(granted.status(), 204);
        assert_eq!(
            granted.headers()["access-control-allow-origin"],
            "https://reader.example"
        );
        assert_eq!(
            granted.headers()["access-control-allow-private-network"],
            "true"
        );
        let refused = ask("https://evil.example");
        assert_eq!(refused.status(), 403);
        assert!(
            !refused
                .headers()
                .contains_key("access-control-allow-origin")
        );
    }

    #[test]
    fn without_the_token_nobody_learns_more_than_that_it_lives() {
        let gate = at("127.0.0.1:8480", Some(TOKEN));
        let with = |sent: &str| status(&gate, &[("host", "localhost"), ("authorization", sent)]);
        let basic = |pair: &str| with(&format!("Basic {}", BASE64_STANDARD.encode(pair)));
        assert_eq!(with(&format!("Bearer {TOKEN}")), 200);
        assert_eq!(with(&format!("bearer  {TOKEN} ")), 200);
        assert_eq!(
            (
                basic(&format!("anyone:{TOKEN}")),
                basic(&format!(":{TOKEN}"))
            ),
            (200, 200)
        );
        for wrong in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer 0123456789abcde",
            "Digest x",
            TOKEN,
        ] {
            assert_eq!(with(wrong), 401, "{wrong}");
        }
        assert_eq!(with(&format!("Bearer {TOKEN}0")), 401);
        assert_eq!(
            (basic(TOKEN), basic("a:b"), with("Basic !")),
            (401, 401, 401)
        );
        let refused = asked(&gate, "GET", "/v1/info", &[("host", "localhost")]).unwrap_err();
        assert!(
            refused.headers()["www-authenticate"]
                .to_str()
                .unwrap()
                .contains("Basic")
        );
        for probe in ["/livez", "/readyz"] {
            let visitor = asked(&gate, "GET", probe, &[("host", "localhost")]).unwrap();
            assert!(visitor.is_stranger, "{probe}");
        }
        let health = asked(&gate, "GET", "/health", &[("host", "localhost")]);
        assert_eq!(health.unwrap_err().status(), 401);
        assert!(!format!("{gate:?}").contains(TOKEN));
    }

    #[test]
    fn beyond_this_machine_there_is_a_token_and_everything_is_written_as_it_should_be() {
        let gate = |bound: &str, token, hosts: &[&str], origins: &[&str]| {
            let own = |words: &[&str]| {
                words
                    .iter()
                    .map(|word| (*word).to_owned())
                    .collect::<Vec<_>>()
            };
            Gate::tcp(bound.parse().unwrap(), token, &own(hosts), &own(origins)).map(drop)
        };
        for open in [
            "0.0.0.0:80",
            "[::]:80",
            "192.168.1.5:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            let refused = gate(open, None, &[], &[]).unwrap_err();
            assert_eq!(refused, GateError::NoToken(open.parse().unwrap()));
            assert!(
                refused.to_string().contains("ALOUD_HTTP_TOKEN"),
                "{refused}"
            );
            assert_eq!(gate(open, Some(TOKEN), &[], &[]), Ok(()));
        }
        for local in [
            "127.0.0.1:80",
            "127.1.2.3:80",
            "[::1]:80",
            "[::ffff:127.0.0.1]:80",
        ] {
            assert_eq!(gate(local, None, &[], &[]), Ok(()), "{local}");
        }
        for token in ["short", "sixteen letters ä", "with a blank in it", ""] {
            assert_eq!(
                gate("[::1]:80", Some(token), &[], &[]),
                Err(GateError::Token)
            );
        }
        for host in ["box.lan:80", "http://box.lan", "a b", "me@box.lan", "*"] {
            let refused = gate("[::1]:80", None, &[host], &[]);
            assert_eq!(refused, Err(GateError::Host(host.to_owned())));
        }
        for origin in [
            "*",
            "reader.example",
            "https://a/b",
            "ftp://a",
            "https://me@a",
            "null",
        ] {
            let refused = gate("[::1]:80", None, &[], &[origin]);
            assert_eq!(refused, Err(GateError::Origin(origin.to_owned())));
        }
    }

    #[test]
    fn an_address_is_read_as_people_write_it() {
        for (text, meant) in [
            ("127.0.0.1", "127.0.0.1:8480"),
            ("::1", "[::1]:8480"),
            ("[::1]", "[::1]:8480"),
            ("0.0.0.0:0", "0.0.0.0:0"),
            ("Localhost:1234", "127.0.0.1:1234"),
            (" localhost ", "127.0.0.1:8480"),
        ] {
            assert_eq!(address(text).unwrap().to_string(), meant);
        }
        for wrong in [
            "",
            "8480",
            ":8480",
            "localhost:",
            "localhost:70000",
            "box.lan:80",
            "127.0.0.1:x",
        ] {
            let said = address(wrong).unwrap_err().to_string();
            assert!(said.contains("127.0.0.1:8480"), "{said}");
        }
    }
}
