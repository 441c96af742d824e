//! A voice in a process of its own: it says what the voice says in this process, and whatever happens
//! to it there happens to it alone. These tests look at the child from outside, which Linux allows.
#![cfg(target_os = "linux")]

mod confined;
mod dying;
#[path = "../kit/mod.rs"]
mod kit;
mod living;
mod look;
mod speaking;
mod voice;
mod wrong;
