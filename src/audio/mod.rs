//! Sound as bytes that others can play. Nothing here knows of voices, tasks or files.

pub mod encode;
pub(crate) mod resample;
