//! The real program in a pseudo-terminal, with a voice of tones: every action of its help by its
//! key and by the mouse, every way out, every theme, wrong configurations, hostile texts.
#![cfg(target_os = "linux")]

mod actions;
mod book;
mod configs;
mod desk;
mod hostile;
#[path = "../kit/mod.rs"]
mod kit;
mod leaving;
mod looks;
mod mouse;
#[path = "../kit/pty.rs"]
mod pty;
mod sizes;
mod wire;
