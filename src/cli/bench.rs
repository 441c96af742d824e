//! `aloud bench`: measures a voice on this machine (how long it takes to open, how fast it speaks
//! short and long sentences with how many threads, how much memory it takes), and can remember what
//! is best.

use std::io::Write;
use std::os::unix::process::CommandExt;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Context;
use serde::Serialize;

use super::fetching::Show;
use super::signals::Signals;
use super::submit::ready;
use crate::assets::{Assets, human_size};
use crate::engine::{Interrupt, NarrationSettings};
use crate::narrate::{Tuned, Tuning, load_voice, machine, runtime};
use crate::settings::Settings;
use crate::speech::{Comparison, Layout};

/// Arguments of `aloud bench`.
#[derive(Debug, clap::Args)]
pub(super) struct BenchArgs {
    /// Remember what is best for this voice on this machine
    #[arg(long)]
    pub store: bool,
    /// Say it as a JSON object
    #[arg(long)]
    pub json: bool,
    /// How often each sentence is spoken
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
}

/// A word, a sentence, a long one.
const TEXTS: [(&str, &str); 3] = [
    ("short", "Rain again."),
    (
        "medium",
        "The letter from the harbour office lay unopened on the table.",
    ),
    (
        "long",
        "By midnight the sea had swallowed the lower path, and the only light for twenty miles was \
         the lamp above his head, which he had trimmed, as he did every night, with a pair of \
         scissors that had belonged to his mother.",
    ),
];

/// What one number of threads gave.
#[derive(Debug, Serialize)]
struct Row {
    threads: usize,
    layout: Layout,
    open_seconds: f64,
    /// Audio per second of work, for each text by itself.
    speeds: [f64; TEXTS.len()],
    /// The same for sentences one after the other, the next begun with already, as in narrating.
    speed: f64,
    memory_bytes: Option<u64>,
}

#[derive(Serialize)]
struct Report<'a> {
    voice: &'a str,
    machine: &'a str,
    rows: &'a [Row],
    best_threads: usize,
    best_layout: Layout,
    /// How far apart the samples of the two layouts are; `None` if the voice has one only.
    difference: Option<f32>,
}

/// Begins this program anew with the variable that keeps ONNX Runtime from writing down its use, which
/// it does before anything else can be said to it. A voice in a process of its own is started with it.
pub(super) fn begin_without_telemetry() {
    const VARIABLE: &str = "ORT_DISABLE_TELEMETRY";
    if std::env::var_os(VARIABLE).is_some() {
        return;
    }
    if let Ok(program) = std::env::current_exe() {
        let error = std::process::Command::new(program)
            .args(std::env::args_os().skip(1))
            .env(VARIABLE, "1")
            .exec();
        tracing::warn!(%error, "ONNX Runtime may write down that it is used");
    }
}

pub(super) fn run(
    args: &BenchArgs,
    settings: &Settings,
    offline: bool,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    let info = ready.voice.info().clone();
    let machine = machine();
    if !args.json {
        writeln!(out, "{} on {machine}", info.name)?;
        writeln!(
            out,
            "{:>8}  {:>8}  {:>8}  {:>9}  {:>9}  {:>9}  {:>9}  {:>9}",
            "threads", "layout", "opens in", "short", "medium", "long", "narrating", "memory"
        )?;
    }
    let mut rows: Vec<Row> = Vec::new();
    let here = Settings {
        // What is measured is the voice, and the memory of this process.
        voice_program: None,
        ..settings.clone()
    };
    let voice = load_voice(&here, &ready.reference)?;
    let compared = voice.compare_layouts(&Interrupt::default())?;
    // A voice without a choice has one row, and one whose layouts are not the same sound stays as it is.
    let is_same = compared.as_ref().is_some_and(Comparison::is_same);
    let layouts = |threads| {
        let layouts = Layout::ALL.into_iter();
        let layouts = layouts.filter(move |layout| compared.is_some() || *layout == Layout::Plain);
        layouts.map(move |layout| (threads, layout))
    };
    for (threads, layout) in candidates().into_iter().flat_map(layouts) {
        if let Some(code) = signals.exit_code() {
            return Ok(code);
        }
        let settings = Settings {
            threads: Some(threads),
            layout: Some(layout),
            ..here.clone()
        };
        let row = measure(&settings, &ready.reference, (threads, layout), args.rounds)?;
        if !args.json {
            let [short, medium, long] = row.speeds;
            let memory = row.memory_bytes;
            let memory = memory.map_or_else(|| "?".to_owned(), human_size);
            writeln!(
                out,
                "{threads:>8}  {:>8}  {:>6.2} s  {short:>8.1}×  {medium:>8.1}×  {long:>8.1}×  {:>8.1}×  \
                 {memory:>9}",
                name(layout),
                row.open_seconds,
                row.speed,
            )?;
            out.flush()?;
        }
        rows.push(row);
    }
    let right = rows
        .iter()
        .filter(|row| is_same || row.layout == Layout::Plain);
    let best = right.max_by(|a, b| a.speed.total_cmp(&b.speed));
    let best = best.context("nothing was measured")?;
    if args.json {
        let report = Report {
            voice: &info.name,
            machine: &machine,
            rows: &rows,
            best_threads: best.threads,
            best_layout: best.layout,
            difference: compared.and_then(|compared| compared.difference),
        };
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    } else {
        writeln!(out, "{}", about_layouts(compared.as_ref()))?;
        writeln!(
            out,
            "best: {} threads, {} layout, {:.1}× real time",
            best.threads,
            name(best.layout),
            best.speed
        )?;
    }
    if args.store {
        let tuned = Tuned {
            threads: Some(best.threads),
            layout: Some(best.layout),
            speed: Some(best.speed),
            runtime: runtime(&Assets::from_settings(settings).onnxruntime()?),
        };
        let mut tuning = Tuning::read(&settings.paths);
        let stored = tuning.put(&settings.paths, &machine, &info.version, tuned);
        let file = stored.context("what was measured can't be remembered")?;
        if !args.json {
            writeln!(out, "remembered in {}", file.display())?;
        }
    } else if !args.json {
        writeln!(out, "--store remembers it for this voice on this machine")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn about_layouts(compared: Option<&Comparison>) -> String {
    let Some(compared) = compared else {
        return "this voice has the plain layout only".to_owned();
    };
    let Some(apart) = compared.difference else {
        return "the plain layout rounds more and takes less memory; the blocked one has to be a tenth \
                faster to be used"
            .to_owned();
    };
    if compared.is_same() {
        format!("the layouts say the same: their samples are at most {apart:.1e} apart")
    } else {
        format!("the blocked layout is no choice: its samples are up to {apart:.1e} apart")
    }
}

/// One thread, all cores, and what lies between by halves.
fn candidates() -> Vec<usize> {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut candidates: Vec<usize> = std::iter::successors(Some(cores), |n| Some(n / 2))
        .take_while(|n| *n > 0)
        .collect();
    if cores > 3 {
        // One core left to everything else.
        candidates.push(cores - 1);
    }
    candidates.sort_unstable();
    candidates.dedup();
    candidates
}

fn name(layout: Layout) -> &'static str {
    match layout {
        Layout::Plain => "plain",
        Layout::Blocked => "blocked",
    }
}

fn measure(
    settings: &Settings,
    voice: &str,
    (threads, layout): (usize, Layout),
    rounds: u32,
) -> anyhow::Result<Row> {
    let voice = load_voice(settings, voice)?;
    let (interrupt, how) = (Interrupt::default(), NarrationSettings::default());
    let front_end = voice.front_end()?;
    let begun = Instant::now();
    let mut model = voice.open(&interrupt)?;
    let open = begun.elapsed();
    let rate = f64::from(voice.info().sample_rate);
    #[expect(clippy::cast_precision_loss, reason = "samples of some sentences")]
    let seconds = |samples: &[f32]| samples.len() as f64 / rate;
    let utterances = TEXTS.map(|(_, text)| front_end.prepare(text));
    let utterances = utterances.into_iter().collect::<Result<Vec<_>, _>>()?;
    let mut all = [(0.0, Duration::ZERO); TEXTS.len()];
    for round in 0..=rounds {
        for (utterance, (audio, work)) in utterances.iter().zip(&mut all) {
            let begun = Instant::now();
            let speech = model.synthesize(utterance, &[], &how, &interrupt)?;
            // The first run of a shape allocates.
            if round > 0 {
                *work += begun.elapsed();
                *audio += seconds(&speech.samples);
            }
        }
    }
    let sentences = &utterances[1..];
    let row: Vec<_> = (0..rounds as usize)
        .flat_map(|_| sentences.iter().chain(sentences))
        .collect();
    let mut together = (0.0, Duration::ZERO);
    for at in 0..row.len() {
        let ahead = &row[at + 1..];
        let ahead = &ahead[..model.looks_ahead().min(ahead.len())];
        let begun = Instant::now();
        let speech = model.synthesize(row[at], ahead, &how, &interrupt)?;
        together.0 += seconds(&speech.samples);
        together.1 += begun.elapsed();
    }
    let speed = |(audio, work): (f64, Duration)| audio / work.as_secs_f64().max(f64::EPSILON);
    Ok(Row {
        threads,
        layout,
        open_seconds: open.as_secs_f64(),
        speeds: all.map(speed),
        speed: speed(together),
        memory_bytes: memory_stats::memory_stats().map(|stats| stats.physical_mem as u64),
    })
}
