//! Measures how long the worker is busy after a cancel, with the real voice: cancels a running
//! narration at random moments, and prints the distribution of the time from `cancel_task` to the
//! worker being free.
//!
//!     cargo run --release --example interrupt -- 200
//!     cargo run --release --example interrupt -- 200 target/release/aloud
//!
//! The second has the voice in a process of its own, as `aloud` has it.
//!
//! What narrating needs is taken from the user's own folders (`aloud setup` fetches it).

use std::sync::Arc;
use std::time::{Duration, Instant};

use aloud::engine::{
    Engine, ErrorObject, Event, Narration, NarrationSettings, Options, Plan, PlannedSegment,
    Reading, ShutdownWait, TaskId,
};
use aloud::narrate::{VoiceNarrator, VoiceResolver, load_voice};
use aloud::settings::{Overrides, load};

const TEXT: &str = "By midnight the sea had swallowed the lower path, and the only light for \
    twenty miles was the one that she had carried up the stairs herself, one hundred and twelve of \
    them, every evening for nineteen years, whether or not anybody was out there to see it.";

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let tries: usize = std::env::args()
        .nth(1)
        .map_or(Ok(200), |tries| tries.parse())?;
    let mut settings = load(Overrides::default())?;
    settings.voice_program = std::env::args().nth(2).map(Into::into);
    let voice = load_voice(&settings, &settings.voice)?;
    let resolve: VoiceResolver =
        Arc::new(move |_: &str, _| Ok::<_, ErrorObject>(Arc::clone(&voice)));
    let folder = tempfile::tempdir()?;
    let mut options = Options::new(folder.path().join("library"));
    options.narrator = Some(Arc::new(move || {
        Box::new(VoiceNarrator::new(Arc::clone(&resolve)))
    }));
    let engine = Engine::open(options)?;
    let events = engine.subscribe();

    let mut times = Vec::with_capacity(tries);
    for number in 0..tries {
        let id = engine.submit_task(narration(folder.path(), number), None)?;
        loop {
            match events.recv_blocking()? {
                Event::SegmentStarted { task, .. } if task == id => break,
                _ => {}
            }
        }
        // A run of this text takes about 0.6 s.
        std::thread::sleep(Duration::from_secs_f64(0.5 * fastrand::f64()));
        let asked = Instant::now();
        engine.cancel_task(&id).unwrap();
        loop {
            match events.recv_blocking()? {
                Event::Ended { task, .. } if task == id => break,
                _ => {}
            }
        }
        times.push(asked.elapsed());
    }
    engine.shutdown(ShutdownWait::Now);
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() * percent / 100).min(times.len() - 1)];
    println!("from cancel_task to the worker free, {tries} tries:");
    for percent in [0, 25, 50, 75, 90, 95, 99, 100] {
        println!(
            "  {percent:>3} %  {:>6.1} ms",
            at(percent).as_secs_f64() * 1000.0
        );
    }
    Ok(())
}

fn narration(folder: &std::path::Path, number: usize) -> Narration {
    let segment = |index: u64| PlannedSegment {
        start: index,
        end: index + 1,
        text: TEXT.into(),
        pause_ms: 0,
        heading: false,
        reading: Reading::default(),
        voice: 0,
    };
    Narration {
        title: "interrupted".into(),
        source: TEXT.into(),
        plan: Arc::new(Plan::new((0..50).map(segment).collect())),
        folder: folder.join(number.to_string()),
        voice: "voice".into(),
        voice_version: "".into(),
        file: None,
        settings: NarrationSettings::default(),
        fingerprint: TaskId::random().to_string(),
    }
}
