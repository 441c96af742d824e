//! The screen: a monitor over the engine's queue, for one person at one terminal. It uses the
//! engine's public handle and nothing else of it; closing it never loses work.
//!
//! Events become actions, actions change the model, the model is drawn:
//!
//! | part | what it does |
//! |---|---|
//! | `keys`, `action` | names of keys; the one table of what a person can do |
//! | `app` | the model and [`App::update`](app::App::update): pure, no I/O |
//! | `view` | one file a widget; drawing returns where everything is |
//! | [`theme`] | roles, theme files, what a terminal can show |
//! | `terminal` | owns the terminal: enters, restores, draws |
//! | `input`, `runtime` | where events come from, and the loop |

mod action;
mod app;
#[cfg(test)]
mod fixtures;
mod keys;
pub mod theme;
mod view;
