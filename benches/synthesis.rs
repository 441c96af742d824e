//! What the program costs beside the model: the same segments with the same voice, once in a loop of
//! bare `session.run` calls, and once through the engine, the pipeline and the disk. The two take
//! turns, for a machine's speed changes with time; the ratio is taken within a round. It is above one
//! where the program shares the model's work out better than the runtime does.
//!
//!     aloud setup && cargo bench --bench synthesis [-- ROUNDS]

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use aloud::engine::{Engine, Event, Narration, NarrationSettings, ShutdownWait};
use aloud::narrate::{Casting, Manner, Request, compose, library_options, load_voice};
use aloud::settings::{Overrides, Settings};
use aloud::speech::Utterance;
use aloud::text::reading::Lexicon;
use ort::session::Session;
use ort::value::Tensor;

const TEXT: &str = "tests/peers/text.txt";
const ROUNDS: usize = 5;
/// Tells the child that it is to run the bare loop.
const BARE: &str = "bare-loop";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// What one way of speaking the text took.
struct Spoken {
    /// Seconds of speech.
    audio: f64,
    /// From the first segment's start to the last clip.
    wall: Duration,
    /// The same without what no segment was in work in.
    model: Duration,
}

impl Spoken {
    fn speed(&self) -> f64 {
        self.audio / self.wall.as_secs_f64()
    }

    /// The share of the time in which the model had nothing to do.
    fn idle(&self) -> f64 {
        1.0 - self.model.as_secs_f64() / self.wall.as_secs_f64()
    }
}

/// What both ways speak.
struct Given {
    settings: Settings,
    narration: Narration,
    utterances: Vec<Utterance>,
    rate: f64,
}

fn main() -> Outcome<()> {
    let given = prepare()?;
    if std::env::args().any(|argument| argument == BARE) {
        let bare = bare_loop(&given)?;
        println!("{} {}", bare.audio, bare.wall.as_secs_f64());
        return Ok(());
    }
    let rounds = std::env::args()
        .find_map(|argument| argument.parse().ok())
        .unwrap_or(ROUNDS);
    println!("{TEXT}: {} segments", given.utterances.len());
    println!("round   bare × real time   pipeline × real time    ratio   model idle");
    let (mut ratios, mut idles) = (Vec::new(), Vec::new());
    for round in 1..=rounds {
        let (bare, piped);
        if round % 2 == 1 {
            bare = bare_process()?;
            piped = pipeline(&given)?;
        } else {
            piped = pipeline(&given)?;
            bare = bare_process()?;
        }
        let ratio = piped.speed() / bare.speed();
        println!(
            "{round:5}   {:16.2}   {:20.2}   {ratio:6.3}   {:8.2} %",
            bare.speed(),
            piped.speed(),
            100.0 * piped.idle(),
        );
        ratios.push(ratio);
        idles.push(piped.idle());
    }
    let (ratio, idle) = (median(&mut ratios), median(&mut idles));
    println!(
        "median of the ratios {ratio:.3}, model idle {:.2} %",
        100.0 * idle
    );
    Ok(())
}

/// Reads, cuts and phonemises the text.
fn prepare() -> Outcome<Given> {
    let settings = aloud::settings::load(Overrides::default())?;
    let voice = load_voice(&settings, &settings.voice)?;
    let request = Request::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(TEXT))?;
    let composed = compose(
        &request,
        (voice.info(), &settings.voice),
        &NarrationSettings::default(),
        Manner {
            pauses: &settings.pauses,
            taste: &settings.taste(),
            lexicon: &Lexicon::default(),
        },
        &Casting::alone(),
        &settings.out,
    )?;
    let front_end = voice.front_end()?;
    let utterances = composed
        .narration
        .plan
        .iter()
        .map(|(_, segment)| front_end.prepare(&segment.spoken()))
        .collect::<Result<Vec<_>, _>>()?;
    Ok(Given {
        settings,
        narration: composed.narration,
        utterances,
        rate: f64::from(voice.info().sample_rate),
    })
}

/// The bare loop in a process of its own, for the runtime allows one environment in each.
fn bare_process() -> Outcome<Spoken> {
    let child = Command::new(std::env::current_exe()?)
        .arg(BARE)
        .stderr(Stdio::inherit())
        .output()?;
    let said = String::from_utf8(child.stdout)?;
    let mut numbers = said.split_whitespace().map(str::parse::<f64>);
    let (Some(audio), Some(wall)) = (numbers.next(), numbers.next()) else {
        return Err(format!("the bare loop ended with {}", child.status).into());
    };
    let wall = Duration::from_secs_f64(wall?);
    Ok(Spoken {
        audio: audio?,
        wall,
        model: wall,
    })
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    if values.len() % 2 == 1 {
        values[middle]
    } else {
        f64::midpoint(values[middle - 1], values[middle])
    }
}

/// A session of the runtime's with the settings that the program opens its own with, and nothing
/// between one run and the next.
fn bare_loop(given: &Given) -> Outcome<Spoken> {
    let settings = &given.settings;
    let assets = aloud::assets::Assets::from_settings(settings);
    let environment = ort::init_from(assets.onnxruntime()?)?.build()?;
    let mut builder = Session::builder(&environment)?
        .with_memory_pattern(false)?
        .with_intra_op_spinning(false)?;
    if let Some(threads) = settings.threads {
        builder = builder.with_intra_threads(threads)?;
    }
    let files = assets.voice(&settings.voice)?;
    let mut session = builder.commit_from_file(&files.model)?;
    let mut samples = 0;
    let begun = Instant::now();
    for utterance in &given.utterances {
        let count = i64::try_from(utterance.ids.len())?;
        let outputs = session.run(ort::inputs![
            "input" => Tensor::from_array(([1, count], utterance.ids.clone()))?,
            "input_lengths" => Tensor::from_array(([1], vec![count]))?,
            "scales" => Tensor::from_array(([3], vec![0.667_f32, 1.0, 0.8]))?,
        ])?;
        samples += outputs[0].try_extract_tensor::<f32>()?.1.len();
    }
    let wall = begun.elapsed();
    Ok(Spoken {
        audio: f64::from(u32::try_from(samples)?) / given.rate,
        wall,
        model: wall,
    })
}

/// The program itself, into folders of its own.
fn pipeline(given: &Given) -> Outcome<Spoken> {
    let folder = tempfile::tempdir()?;
    let mut settings = given.settings.clone();
    settings.paths.library = folder.path().join("library");
    // Every round speaks the same sentences.
    settings.clip_store_mb = 0;
    let mut narration = given.narration.clone();
    narration.folder = folder.path().join("narration");
    let engine = Engine::open(library_options(&settings))?;
    let events = engine.subscribe();
    let id = engine.submit_task(narration, None)?;
    let mut begun = None;
    let mut last = Instant::now();
    loop {
        match events.recv_blocking()? {
            Event::SegmentStarted { .. } => drop(begun.get_or_insert_with(Instant::now)),
            Event::SegmentCompleted { .. } => last = Instant::now(),
            Event::Ended { .. } => break,
            _ => {}
        }
    }
    let status = engine.task_status(&id).ok_or("the task is not known")?;
    engine.shutdown(ShutdownWait::Now);
    if let Some(error) = status.error {
        return Err(error.message.into());
    }
    Ok(Spoken {
        audio: status.made.audio_seconds,
        wall: last - begun.ok_or("no segment began")?,
        model: Duration::from_secs_f64(status.made.work_seconds),
    })
}
