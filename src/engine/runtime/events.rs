//! Events: what changed, told to any number of subscribers over bounded channels. A slow reader loses
//! detail, never correctness: it is told that it missed something and reads a fresh copy.
//!
//! Events are noted in their order under the core's lock, and told by a thread of their own: a
//! reader's waker is not our code, and runs where it can hold up nothing but other readers.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use async_channel::Sender;

use super::subscription::{BACKLOG, Listener, Subscription, channel};
use crate::engine::core::Reply;
use crate::engine::guard::guarded;
use crate::model::Event;

/// How many wait to be told to anyone before they count as missed by all.
const OUTBOX: usize = 16 * BACKLOG;

/// What is to be told, in its order.
enum Item {
    Event(Event),
    /// So many events found no room.
    Missed(u64),
    /// Someone listens from here on.
    Listener(Listener),
    /// Whoever waits for the end of a task is told at its place among the events.
    Reply(Sender<Reply>, Reply),
}

#[derive(Default)]
struct Outbox {
    items: VecDeque<Item>,
    is_closed: bool,
}

/// Everyone who listens.
#[derive(Default)]
pub(super) struct Announcer {
    outbox: Mutex<Outbox>,
    filled: Condvar,
    listeners: AtomicUsize,
}

impl Announcer {
    fn lock(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Events from now on. To be called under the core's lock.
    pub(super) fn subscribe(&self) -> Subscription {
        let (listener, subscription) = channel();
        self.listeners.fetch_add(1, Ordering::AcqRel);
        self.lock().items.push_back(Item::Listener(listener));
        self.wake();
        subscription
    }

    /// Notes events, under the core's lock; whether there is something to tell.
    pub(super) fn take(&self, events: &mut Vec<Event>) -> bool {
        if events.is_empty() {
            return false;
        }
        if self.listeners.load(Ordering::Acquire) == 0 {
            events.clear();
            return false;
        }
        let mut outbox = self.lock();
        for event in events.drain(..) {
            if outbox.items.len() < OUTBOX {
                outbox.items.push_back(Item::Event(event));
            } else if let Some(Item::Missed(count)) = outbox.items.back_mut() {
                *count += 1;
            } else {
                outbox.items.push_back(Item::Missed(1));
            }
        }
        true
    }

    /// Tells a caller who waits for an end, at its place among the events.
    pub(super) fn reply(&self, caller: Sender<Reply>, reply: Reply) {
        let mut outbox = self.lock();
        if outbox.is_closed {
            drop(outbox);
            // The thread that tells may have ended, and there is no order to keep any more.
            guarded("the waker of a listener", || drop(caller.try_send(reply)));
            return;
        }
        outbox.items.push_back(Item::Reply(caller, reply));
        drop(outbox);
        self.wake();
    }

    pub(super) fn wake(&self) {
        self.filled.notify_one();
    }

    /// Ends every stream once what is in it has been read.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.wake();
    }

    /// The loop of the thread that sends events to subscribers.
    pub(super) fn run(&self) {
        let mut listeners: Vec<Listener> = Vec::new();
        loop {
            let mut outbox = self.lock();
            while outbox.items.is_empty() && !outbox.is_closed {
                outbox = self
                    .filled
                    .wait(outbox)
                    .unwrap_or_else(PoisonError::into_inner);
            }
            let items = std::mem::take(&mut outbox.items);
            let is_over = outbox.is_closed && items.is_empty();
            drop(outbox);
            if is_over {
                break;
            }
            for item in items {
                guarded("the waker of a listener", || match item {
                    Item::Listener(listener) => listeners.push(listener),
                    Item::Event(event) => self.tell(&mut listeners, &event),
                    Item::Missed(count) => {
                        for listener in &listeners {
                            listener.miss(count);
                        }
                    }
                    Item::Reply(caller, reply) => {
                        let _ = caller.try_send(reply);
                    }
                });
            }
        }
        guarded("the waker of a listener", || drop(listeners));
    }

    /// Sends an event to everyone. A full channel counts as missed; a reader that was dropped is removed.
    fn tell(&self, listeners: &mut Vec<Listener>, event: &Event) {
        listeners.retain(|listener| {
            let told = guarded("the waker of a listener", || self.tell_one(listener, event));
            // After a panic the event is sent, and the others are still to be told.
            told.unwrap_or(true)
        });
    }

    /// Whether the reader is still there.
    fn tell_one(&self, listener: &Listener, event: &Event) -> bool {
        let is_there = listener.tell(event);
        if !is_there {
            self.listeners.fetch_sub(1, Ordering::AcqRel);
        }
        is_there
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::NoMoreEvents;
    use crate::model::TaskId;

    /// Tells what is in the outbox, and ends.
    fn tell_all(announcer: &Announcer) {
        announcer.close();
        announcer.run();
    }

    #[test]
    fn a_slow_reader_is_told_what_it_missed() {
        let announcer = Announcer::default();
        let slow = announcer.subscribe();
        let event = |number: usize| Event::Progress {
            task: TaskId::from(number.to_string()),
        };
        announcer.take(&mut (0..BACKLOG + 7).map(event).collect());
        tell_all(&announcer);
        assert_eq!(slow.try_recv(), Ok(Some(Event::Missed { count: 7 })));
        assert_eq!(slow.try_recv(), Ok(Some(event(0))));
    }

    #[test]
    fn what_nobody_tells_is_bounded_and_counted() {
        let announcer = Announcer::default();
        let reader = announcer.subscribe();
        let mut events = vec![Event::ShuttingDown; OUTBOX + 41];
        announcer.take(&mut events);
        tell_all(&announcer);
        let missed = OUTBOX + 41 - BACKLOG;
        assert_eq!(
            reader.try_recv(),
            Ok(Some(Event::Missed {
                count: missed as u64
            }))
        );
    }

    #[test]
    fn the_stream_ends_after_what_is_in_it() {
        let announcer = Announcer::default();
        let reader = announcer.subscribe();
        announcer.take(&mut vec![Event::ShuttingDown]);
        tell_all(&announcer);
        assert_eq!(reader.recv_blocking(), Ok(Event::ShuttingDown));
        assert_eq!(reader.recv_blocking(), Err(NoMoreEvents));
    }
}
