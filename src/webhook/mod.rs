//! Tells others of changes of tasks: a signed request for each, as <https://www.standardwebhooks.com> has
//! it. What is owed to whom is the engine's to know ([`Outbox`](crate::engine::Outbox)), on disk; here it
//! travels. Nothing here delays the work, and where requests go stands in the settings only: no one who
//! speaks to the program over a wire has a say in it.
//!
//! | part | what it does |
//! |---|---|
//! | `sign` | the headers that a receiver knows us by |
//! | `send` | one request, and what was answered |
//! | `schedule` | when what came to nothing is tried again, and when it is given up |
//! | `sender` | the thread, and the turn of each target |

mod schedule;
mod send;
mod sender;
mod sign;

pub(crate) use send::{AddressError, Mailer, Message, SendError};
pub(crate) use sender::{Webhooks, still_owed};
