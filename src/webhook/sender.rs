//! The thread that delivers what is owed. Each target has its own turn on it: one that hangs or is away
//! holds up nobody else, and a connection is given up at once when the program ends. What was not answered
//! with a 2xx by then is owed still, and goes at the next start.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_channel::{Receiver, Sender};
use hyper::StatusCode;
use smol::LocalExecutor;
use smol::future::FutureExt;

use super::schedule::{OLDEST, is_hopeless, wait};
use super::send::{Mailer, Message, SendError};
use crate::engine::{NextNotice, Notice, Outbox, StoreError, Timestamp, trace_span};
use crate::settings::Webhook;

/// How long the database is left alone after it has failed.
const DISK_PAUSE: Duration = Duration::from_secs(30);

/// The thread that delivers what is owed, until the engine has shut down or this is dropped.
pub(crate) struct Webhooks {
    outbox: Outbox,
    states: Arc<States>,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Webhooks {
    /// Starts it, if someone is to be told something.
    ///
    /// # Errors
    /// No requests can go to an address, or no thread can be started.
    pub(crate) fn start(outbox: Outbox, webhooks: &[Webhook]) -> anyhow::Result<Option<Self>> {
        let named = outbox.targets();
        let wanted = webhooks
            .iter()
            .filter(|webhook| named.iter().any(|name| **name == *webhook.name));
        let mailers = wanted.map(Mailer::new).collect::<Result<Vec<_>, _>>()?;
        forget_old(&outbox);
        if mailers.is_empty() {
            return Ok(None);
        }
        let (stop, stopped) = async_channel::bounded(1);
        let states = Arc::new(States::default());
        let (its, shared) = (outbox.clone(), Arc::clone(&states));
        let thread = std::thread::Builder::new()
            .name("aloud-webhooks".into())
            .spawn(move || run(&its, mailers, &shared, &stopped))?;
        Ok(Some(Self {
            outbox,
            states,
            stop,
            thread: Some(thread),
        }))
    }

    /// Waits until nothing is owed, nothing more can go in this time, or it is over; returns how much is
    /// owed then.
    pub(crate) fn deliver_within(&self, patience: Duration) -> u64 {
        let until = Instant::now() + patience;
        while self.owed() > 0 && !self.states.all_rest_until(until) && Instant::now() < until {
            smol::block_on(self.states.changed().or(async {
                smol::Timer::at(until).await;
            }));
        }
        self.owed()
    }

    pub(crate) fn owed(&self) -> u64 {
        self.outbox.counts().owed
    }
}

impl Drop for Webhooks {
    fn drop(&mut self) {
        self.stop.close();
        if let Some(thread) = self.thread.take() {
            // A panic there is in the log; what was not delivered is owed.
            let _ = thread.join();
        }
    }
}

/// What a person is told who leaves while so much is owed.
pub(crate) fn still_owed(owed: u64) -> Option<String> {
    match owed {
        0 => None,
        1 => Some("1 notice is owed to a webhook; it goes at the next start of aloud".to_owned()),
        _ => Some(format!(
            "{owed} notices are owed to webhooks; they go at the next start of aloud"
        )),
    }
}

/// What is owed to targets that are no longer in the settings waits as long for their return as others
/// are tried.
fn forget_old(outbox: &Outbox) {
    match outbox.forget_unnamed(before(OLDEST)) {
        Ok(0) => {}
        Ok(gone) => tracing::warn!(
            "{gone} notices were given up: they were owed to webhooks that are not in the settings"
        ),
        Err(error) => {
            tracing::warn!(%error, "what is owed to former webhooks can't be cleared away");
        }
    }
}

/// What each target does.
#[derive(Default)]
struct States {
    /// When one that waits goes on; those that are not named have nothing to do.
    resting: Mutex<BTreeMap<String, Option<Instant>>>,
    change: Change,
}

struct Change(Sender<()>, Receiver<()>);

impl Default for Change {
    fn default() -> Self {
        let (sender, receiver) = async_channel::bounded(1);
        Self(sender, receiver)
    }
}

impl States {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Option<Instant>>> {
        self.resting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn busy(&self, target: &str) {
        self.lock().insert(target.to_owned(), None);
        self.tell();
    }

    fn rests(&self, target: &str, until: Instant) {
        self.lock().insert(target.to_owned(), Some(until));
        self.tell();
    }

    fn idle(&self, target: &str) {
        self.lock().remove(target);
        self.tell();
    }

    fn tell(&self) {
        // One that waits there says the same.
        let _ = self.change.0.try_send(());
    }

    async fn changed(&self) {
        // It is never closed before the last one that tells is gone.
        let _ = self.change.1.recv().await;
    }

    /// Whether some have something to do, and all of them do it later.
    fn all_rest_until(&self, time: Instant) -> bool {
        let resting = self.lock();
        !resting.is_empty()
            && resting
                .values()
                .all(|until| until.is_some_and(|at| at > time))
    }
}

fn run(outbox: &Outbox, mailers: Vec<Mailer>, states: &States, stopped: &Receiver<()>) {
    let executor = LocalExecutor::new();
    let mut bells = Vec::new();
    for mailer in mailers {
        let (ring, bell) = async_channel::bounded(1);
        bells.push(ring);
        let turn = Turn {
            name: mailer.webhook().name.clone(),
            address: mailer.webhook().address().to_owned(),
            mailer,
            outbox,
            states,
            bell,
        };
        executor.spawn(turn.run()).detach();
    }
    let ringing = async {
        while outbox.changed().await {
            for bell in &bells {
                // One that rings already is heard.
                let _ = bell.try_send(());
            }
        }
    };
    let stopping = async {
        // Nothing is sent there: it is closed.
        let _ = stopped.recv().await;
    };
    // What is on its way is broken off when the executor goes.
    smol::block_on(executor.run(stopping.or(ringing)));
}

/// What one target is owed, one after the other.
struct Turn<'a> {
    name: String,
    address: String,
    mailer: Mailer,
    outbox: &'a Outbox,
    states: &'a States,
    bell: Receiver<()>,
}

/// What became of a try.
enum Tried {
    Taken,
    /// Nobody could be reached, or the target asks for a pause: it rests.
    Rest(Duration),
    /// This one was not taken again and again: the one behind it says whether the target is well.
    PassedOver,
    /// The receiver wants nothing any more.
    Gone,
}

impl Turn<'_> {
    async fn run(self) {
        // Tries without a success between them.
        let mut failed = 0;
        loop {
            match self.outbox.next(&self.name) {
                Ok(NextNotice::Now(notice)) => {
                    self.states.busy(&self.name);
                    match self.try_one(&notice, failed + 1).await {
                        Ok(Tried::Taken) => failed = 0,
                        Ok(Tried::PassedOver) => failed += 1,
                        Ok(Tried::Rest(wait)) => {
                            failed += 1;
                            self.rest(wait).await;
                        }
                        Ok(Tried::Gone) => return self.refuse_all().await,
                        Err(StoreError::Closed) => return,
                        Err(error) => self.failed(&error).await,
                    }
                }
                Ok(NextNotice::At(time)) => {
                    let until = Instant::now() + time.since(Timestamp::now());
                    self.states.rests(&self.name, until);
                    let timer = async {
                        smol::Timer::at(until).await;
                        true
                    };
                    if !timer.or(self.hears()).await {
                        return;
                    }
                }
                Ok(NextNotice::Nothing) => {
                    self.states.idle(&self.name);
                    if !self.hears().await {
                        return;
                    }
                }
                Err(StoreError::Closed) => return,
                Err(error) => self.failed(&error).await,
            }
        }
    }

    /// Waits for news; `false` once there is none any more.
    async fn hears(&self) -> bool {
        self.bell.recv().await.is_ok()
    }

    /// Nothing is tried for so long, whatever comes.
    async fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        self.states.rests(&self.name, until);
        smol::Timer::at(until).await;
    }

    async fn failed(&self, error: &StoreError) {
        tracing::warn!(webhook = self.address, %error, "it can't be read or noted what is owed");
        self.rest(DISK_PAUSE).await;
    }

    /// Tries this notice; if it fails, it is the target's so many-th failure in a row.
    async fn try_one(&self, notice: &Notice, failures: u32) -> Result<Tried, StoreError> {
        let message = Message {
            id: &notice.id,
            body: &notice.payload,
            trace: notice.trace.as_ref(),
        };
        let sent = self.mailer.send(&message).await;
        // Not before: while one waits for an answer, others have their turns on this thread.
        let _entered = trace_span(notice.trace.as_ref()).entered();
        match sent {
            Ok(answer) if answer.status.is_success() => {
                self.outbox.delivered(notice)?;
                let (webhook, task) = (&*self.address, &notice.task);
                tracing::debug!(webhook, %task, id = notice.id, "it was told");
                Ok(Tried::Taken)
            }
            Ok(answer) if answer.status == StatusCode::GONE => Ok(Tried::Gone),
            Ok(answer) => self.not_taken(notice, &answer.status, answer.retry_after, failures),
            Err(error) if error.is_of_target() => self.not_reached(notice, &error, failures),
            Err(error) => self.not_taken(notice, &error, None, failures),
        }
    }

    /// Nobody is there: that says nothing of the notice.
    fn not_reached(
        &self,
        notice: &Notice,
        error: &SendError,
        failures: u32,
    ) -> Result<Tried, StoreError> {
        let (webhook, task) = (&*self.address, &notice.task);
        self.outbox.unreached();
        if failures == 1 {
            tracing::warn!(webhook, %task, %error, "it can't be told now, and is tried again");
        }
        if is_hopeless(age(notice), failures) {
            let gone = self.outbox.give_up_all(&self.name, Some(before(OLDEST)))?;
            tracing::error!(webhook, %error, "{gone} notices were given up: nobody is there");
        }
        Ok(Tried::Rest(wait(failures, None, fastrand::f64())))
    }

    /// The target was there and did not take it.
    fn not_taken(
        &self,
        notice: &Notice,
        why: &dyn Display,
        asked: Option<Duration>,
        failures: u32,
    ) -> Result<Tried, StoreError> {
        let (webhook, task, id) = (&*self.address, &notice.task, &*notice.id);
        let tries = notice.attempts + 1;
        if is_hopeless(age(notice), tries) {
            tracing::error!(webhook, %task, id, %why, "a notice was given up after {tries} tries");
            self.outbox.give_up(notice)?;
            return Ok(Tried::PassedOver);
        }
        if tries == 1 {
            tracing::warn!(webhook, %task, id, %why, "a notice was not taken, and is tried again");
        }
        let wait = wait(failures.max(tries), asked, fastrand::f64());
        let millis = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
        let again = Timestamp(Timestamp::now().0.saturating_add(millis));
        self.outbox.refused(notice, again)?;
        Ok(match asked.is_none() && tries >= Outbox::TRIES_IN_ORDER {
            true => Tried::PassedOver,
            false => Tried::Rest(wait),
        })
    }

    /// The receiver is gone for good: nothing waits for it, until the program is started again.
    async fn refuse_all(&self) {
        loop {
            match self.outbox.give_up_all(&self.name, None) {
                Ok(0) => {}
                Ok(gone) => tracing::error!(
                    webhook = self.address,
                    "{gone} notices were given up: the receiver says that it is gone (410); take it out \
                     of config.toml"
                ),
                Err(StoreError::Closed) => return,
                Err(error) => self.failed(&error).await,
            }
            self.states.idle(&self.name);
            if !self.hears().await {
                return;
            }
        }
    }
}

/// So long ago.
fn before(age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp(Timestamp::now().0.saturating_sub(age))
}

fn age(notice: &Notice) -> Duration {
    Timestamp::now().since(notice.at)
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;
    use crate::engine::StateChange;
    use crate::engine::testing::Library;
    use crate::settings::{Overrides, Paths, load_from};

    /// Reads a request to its end, and answers it by its body.
    fn answer(mut stream: TcpStream, refuses: &str) {
        let mut reader = BufReader::new(&stream);
        let mut length = 0;
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).unwrap();
            if let Some(said) = line.strip_prefix("content-length: ") {
                length = said.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).unwrap();
        let status = match String::from_utf8(body).unwrap().contains(refuses) {
            true => "400 Bad Request",
            false => "200 OK",
        };
        let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
    }

    #[test]
    fn one_that_is_refused_for_good_lets_the_others_pass() {
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        // Without a path, as people write it.
        let url = format!("http://{}?shelf=1", listener.local_addr().unwrap());
        let config = format!(
            "[[webhooks]]\nname = \"shelf\"\nurl = \"{url}\"\n\
             secret = \"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\""
        );
        std::fs::create_dir(folder.path().join("config")).unwrap();
        std::fs::write(folder.path().join("config/config.toml"), config).unwrap();
        let settings = load_from(Paths::under(folder.path()), Overrides::default(), &|_| None);
        let settings = settings.unwrap();
        let engine = Library::with(|options| {
            let ends = StateChange::ENDS.to_vec();
            options.outbox.insert("shelf".into(), ends);
        });
        for title in ["the bad one", "two", "three"] {
            let id = engine.submit(engine.narration(title)).unwrap();
            engine.wait(&id).unwrap();
        }
        let outbox = engine.outbox();
        let NextNotice::Now(bad) = outbox.next("shelf").unwrap() else {
            panic!("nothing is owed");
        };
        // The last of its tries for which the others wait is made now.
        for _ in 1..Outbox::TRIES_IN_ORDER {
            outbox.refused(&bad, Timestamp(0)).unwrap();
        }
        let receiver = std::thread::spawn(move || {
            for _ in 0..3 {
                answer(listener.accept().unwrap().0, "the bad one");
            }
        });
        let webhooks = Webhooks::start(outbox.clone(), &settings.webhooks).unwrap();
        let left = webhooks.unwrap().deliver_within(Duration::from_secs(60));
        assert_eq!(left, 1, "the bad one is tried again later");
        receiver.join().unwrap();
        assert_eq!(outbox.counts().delivered, 2);
    }
}
