//! The service over HTTP: for the program's own front ends through a Unix socket, for people's scripts
//! and browsers. It knows the room `service` and nothing behind it, decides nothing itself, and
//! never waits for the disk on the thread that serves everyone.
//!
//! | part | what it does |
//! |---|---|
//! | `server` | accepts, bounds, ends connections |
//! | `routes` | finds what an address and a method mean |
//! | `look`, `submit`, `act` | answer `/v1/…` |
//! | `storycore` | answers the endpoints with an envelope |
//! | `health` | says whether it is alive and ready |
//! | `events` | numbers what happens and tells every watcher |
//! | `client` | asks such a server, for other programs of ours |
//! | `remote`, `mirror` | the service of another process by such a client: asked, and followed |

mod act;
mod adapter;
mod answer;
mod body;
mod client;
mod events;
mod health;
mod look;
mod mirror;
mod query;
mod remote;
mod routes;
mod server;
mod sse;
mod storycore;
mod submit;

pub use client::{Answer, Client, ClientError, Events};
pub(crate) use mirror::{End, Mirror};
pub(crate) use remote::Remote;
pub use server::{Server, ServerOptions};
pub use sse::ServerEvent;
