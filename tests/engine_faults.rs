//! Faults that the engine once had, each with a test that it stays away: foreign code that calls back,
//! panics or does not return; a database that another program holds; openings and shutdowns that meet.

#[path = "engine_faults/disk.rs"]
mod disk;
#[path = "engine_faults/files.rs"]
mod files;
#[path = "engine_faults/foreign.rs"]
mod foreign;
#[path = "engine_faults/kit.rs"]
mod kit;
#[path = "engine_faults/last_handle.rs"]
mod last_handle;
#[path = "engine_faults/opening.rs"]
mod opening;
#[path = "engine_faults/work.rs"]
mod work;
