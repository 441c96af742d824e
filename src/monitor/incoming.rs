//! Everything that wakes the loop.

use async_signal::Signal;
use ratatui::layout::Position;

use super::app::Message;
use crate::model::{Event, ShutdownReport};

/// Everything that wakes the loop.
#[derive(Debug)]
pub(super) enum Incoming {
    /// A person did something, or changed the size of the terminal.
    Person(Message),
    /// The same with the mouse, here.
    Pointer(Position, Pointed),
    /// What an effect has found or done.
    Told(Message),
    Engine(Event),
    Signal(Signal),
    /// Nobody can see the screen any more.
    TerminalLost,
    /// The engine's stream of events has ended.
    EngineGone,
    /// The shutdown that was asked for is done.
    Stopped(ShutdownReport),
}

/// What a mouse can do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pointed {
    /// The left button was pressed.
    Click,
    /// The wheel was turned: rows down, negative up.
    Wheel(i32),
}
