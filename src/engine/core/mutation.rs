//! Deliberate faults, one line each, for proving that the simulation finds them. Only a test can switch
//! one on.

/// A fault that the core can be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// An end is told before its row is on disk.
    EndBeforeRow,
    /// A part that failed leaves its deadline behind.
    DeadlineKept,
    /// A fingerprint is known only once its task is admitted.
    FingerprintLate,
    /// Work is dropped in the core instead of by whoever holds no lock.
    DroppedInside,
    /// An older attempt at a part can win.
    StaleLease,
    /// A paused task is handed to a worker.
    PauseIgnored,
    /// Whoever submitted a task that the disk refuses hears nothing.
    ReplyForgotten,
    /// A worker that is given up counts as busy for ever.
    WorkerLeaked,
    /// A row that the disk refused for a moment is not tried again.
    RowForgotten,
    /// Nobody is woken for a delayed task.
    WakeForgotten,
    /// The engine is down before the disk has everything.
    DownTooSoon,
    /// A request to cancel what runs does not go to the disk.
    CancelForgotten,
    /// Those that wait for a failed task wait for ever.
    DependantsForgotten,
    /// Time for which the process was stopped counts towards limits.
    SleepCounted,
    /// A pause costs an attempt.
    PauseCounted,
    /// A run of what recurs that the disk refused is passed over.
    RunLost,
    /// A run of what recurs does not wait for the one before it.
    RunsOverlap,
    /// What recurs is forgotten when a run has ended.
    RunForgotten,
    /// An urgent task waits its turn like any other.
    UrgentWaits,
    /// Nobody is asked to make room for an urgent task.
    NoRoomMade,
    /// An operation that made room for an urgent task ends with that.
    YieldForgotten,
    /// One that made room waits behind those that have a better place.
    TurnLost,
    /// A task whose delay is over counts as delayed until a worker is free.
    ReleasedLate,
}

impl Mutation {
    #[cfg(test)]
    pub(crate) const ALL: [Self; 23] = [
        Self::EndBeforeRow,
        Self::DeadlineKept,
        Self::FingerprintLate,
        Self::DroppedInside,
        Self::StaleLease,
        Self::PauseIgnored,
        Self::ReplyForgotten,
        Self::WorkerLeaked,
        Self::RowForgotten,
        Self::WakeForgotten,
        Self::DownTooSoon,
        Self::CancelForgotten,
        Self::DependantsForgotten,
        Self::SleepCounted,
        Self::PauseCounted,
        Self::RunLost,
        Self::RunsOverlap,
        Self::RunForgotten,
        Self::UrgentWaits,
        Self::NoRoomMade,
        Self::YieldForgotten,
        Self::TurnLost,
        Self::ReleasedLate,
    ];
}

/// Whether the fault is there: never, but in a test that asks for it.
#[cfg(not(test))]
pub(super) const fn mutated(_: Mutation) -> bool {
    false
}

#[cfg(test)]
thread_local! {
    static MUTATION: std::cell::Cell<Option<Mutation>> = const { std::cell::Cell::new(None) };
}

/// Switches a fault on, or all off, on this thread.
#[cfg(test)]
pub(crate) fn set_mutation(mutation: Option<Mutation>) {
    MUTATION.set(mutation);
}

#[cfg(test)]
pub(super) fn mutated(mutation: Mutation) -> bool {
    MUTATION.get() == Some(mutation)
}
