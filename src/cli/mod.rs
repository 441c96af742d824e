//! The command line: what a person types, and the headless front end. It only calls the public
//! parts of the other rooms, and must never hold state that the engine should own.

pub mod doctor;
pub mod fetching;
pub mod setup;
pub mod voices;
