//! The engine's promises, with closures and with a narrator made for tests.

#[path = "engine/kit.rs"]
mod kit;
#[path = "engine/library.rs"]
mod library;
#[path = "engine/lifecycle.rs"]
mod lifecycle;
#[path = "engine/narrations.rs"]
mod narrations;
#[path = "engine/recurring.rs"]
mod recurring;
#[path = "engine/tasks.rs"]
mod tasks;
