//! Requests over TCP, written by hand: what is sent is what a test says.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use serde_json::Value;

pub struct Reply {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Reply {
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The status, and the code of the error.
    pub fn refusal(&self) -> (u16, String) {
        let code = self.json()["error"]["code"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        (self.status, code)
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines
            .into_iter()
            .find(|(known, _)| *known == name)
            .map(|(_, value)| value)
    }
}

/// One request over a connection of its own. What is not said of its head is as it should be.
pub fn ask(
    at: SocketAddr,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Reply {
    let mut stream = TcpStream::connect(at).unwrap();
    stream.set_read_timeout(Some(super::PATIENCE)).unwrap();
    let host = format!("{at}");
    let length = body.len().to_string();
    let mut lines = headers.to_vec();
    if !headers.iter().any(|(name, _)| *name == "host") {
        lines.push(("host", &host));
    }
    if method == "POST" {
        lines.push(("content-length", &length));
    }
    let lines: Vec<_> = lines
        .iter()
        .map(|(name, value)| format!("{name}: {value}\r\n"))
        .collect();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nconnection: close\r\n{}",
        lines.concat()
    );
    let request = [format!("{head}\r\n").as_bytes(), body].concat();
    // Who is refused may be closed before all of it is read.
    let _ = stream.write_all(&request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let end =
        end.unwrap_or_else(|| panic!("{method} {path}: {:?}", String::from_utf8_lossy(&answer)));
    let head = String::from_utf8(answer[..end].to_vec()).unwrap();
    let mut reply = Reply {
        status: head[9..12].parse().unwrap(),
        head,
        body: answer[end + 4..].to_vec(),
    };
    if reply.header("transfer-encoding") == Some("chunked") {
        reply.body = joined(&reply.body);
    }
    reply
}

/// A body that came in pieces. It fails if the last one is missing.
fn joined(mut rest: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|two| two == b"\r\n");
        let line = str::from_utf8(&rest[..end.expect("the body is whole")]).unwrap();
        let length = usize::from_str_radix(line, 16).unwrap();
        if length == 0 {
            return body;
        }
        let piece = &rest[line.len() + 2..];
        body.extend(&piece[..length]);
        rest = &piece[length + 2..];
    }
}
