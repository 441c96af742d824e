//! The service over HTTP: for the program's own front ends through a Unix socket, for people's scripts
//! and browsers over TCP as well, where the settings say so. It knows the room `service` and nothing
//! behind it, decides nothing itself, and never waits for the disk on the thread that serves everyone.
//!
//! | part | what it does |
//! |---|---|
//! | `server` | accepts, bounds, ends connections |
//! | `gate` | lets requests in, by their heads |
//! | `routes` | finds what an address and a method mean |
//! | `look`, `submit`, `act` | answer `/v1/…` |
//! | `wanted` | reads what a request for something new says |
//! | `sound` | sends clips and joined narrations |
//! | `speech` | speaks to programs that know OpenAI's interface |
//! | `storycore` | answers the endpoints with an envelope |
//! | `health` | says whether it is alive and ready |
//! | `openapi` | says what all of this is called, for people's tools |
//! | `metrics`, `pattern`, `usage` | say in numbers what it does |
//! | `trace` | says which trace a request belongs to |
//! | `events` | numbers what happens and tells every watcher |
//! | `page` | the page for a browser |
//! | `client` | asks such a server, for other programs of ours |
//! | `remote`, `mirror` | the service of another process by such a client: asked, and followed |
//! | `follow` | what happens there, one event after the other |
//!
//! # Who could do harm, and what stands in the way
//!
//! | who | how | what holds them off |
//! |---|---|---|
//! | another machine | it connects | nothing listens on TCP unless told to; beyond loopback only with a token of 16 characters or more, or the program does not begin |
//! | | it guesses the token | compared as salted hashes: time tells nothing; the shortest one takes longer than anyone lives |
//! | another user of this machine | over the socket | folder 0700, socket 0600, and whoever is not this user or root is closed unheard |
//! | | over loopback | only the token, which is optional there: on a machine of many, set one |
//! | a page in this user's browser | it posts to localhost | its origin is refused; JSON must say that it is, which a form can't |
//! | | it reads answers | CORS names no origin that is not listed |
//! | | its name is led to 127.0.0.1 (DNS rebinding) | names that are not the machine's own or listed are refused, over the socket (through a tunnel) as well |
//! | a client, or who speaks for it | it names files to be read out or written over | over TCP no path is taken: not of a text, a folder or a voice; over the socket only programs of this user's name them, no page |
//! | | it asks for what the program does for itself alone | only operations that are registered as public are done, and others are refused like those that do not exist |
//! | | it has the program call other addresses (SSRF) | webhooks stand in `config.toml` only, redirects are not followed, and answers are not shown |
//! | who can write in a narration's folder | a link or a pipe in the place of a clip | clips are named by their task, opened without following links, and must be regular files |
//! | a client | long heads, bodies, lists | bounds on each, before memory is taken |
//! | | it stalls: a head, a body, an answer that it does not read | ten seconds for a head and for each piece of a body, a minute for an answer |
//! | | more connections than there is room for | a bound, over TCP apart from the socket: the owner's own commands still get in |
//! | | more speech at a time than one voice can give | a bound, and others are told when to come back; who hangs up or reads nothing gives the voice back |
//! | | what makes our code panic | one answer fails, the others go on |
//!
//! What is *not* held off: whoever has the token (or is on a loopback without one) may do all that the
//! program's own user may do here, and what goes over the wire can be read on it: beyond this machine,
//! put a proxy with TLS before it, or come through SSH.

mod act;
pub(crate) mod adapter;
mod answer;
mod body;
mod client;
mod events;
mod follow;
mod gate;
mod health;
mod look;
mod metrics;
mod mirror;
mod openapi;
mod page;
mod pattern;
mod query;
mod remote;
mod routes;
mod server;
mod sound;
mod speech;
mod sse;
mod storycore;
mod stream;
mod submit;
mod trace;
mod usage;
mod wanted;

pub use client::{Answer, Client, ClientError, Events};
pub(crate) use follow::{Follow, Told};
pub use gate::{Gate, GateError, address};
pub(crate) use mirror::{End, Mirror};
pub(crate) use remote::{ConnectError, Remote};
pub use server::{Server, ServerOptions};
pub use sse::ServerEvent;
