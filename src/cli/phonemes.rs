//! `aloud phonemes`: how each segment will be spoken, so that a user can see and mend it.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use serde_json::json;

use super::fetching::Show;
use super::queue::say_format;
use super::signals::Signals;
use super::submit::ready;
use crate::narrate::{Request, load_voice};
use crate::service::compose_for;
use crate::settings::Settings;
use crate::text::FormatName;

/// Arguments of `aloud phonemes`.
#[derive(Debug, clap::Args)]
pub(super) struct PhonemesArgs {
    /// The text, or `-` for standard input
    pub file: PathBuf,
    /// The format it is read in, whatever its name says: md, txt or html
    #[arg(long = "as", value_name = "FORMAT")]
    pub written_as: Option<FormatName>,
    /// One JSON object a segment
    #[arg(long)]
    pub json: bool,
}

pub(super) fn run(
    args: &PhonemesArgs,
    settings: &Settings,
    offline: bool,
    out: &mut dyn Write,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    let request = signals.exiting_at_once(|| Request::read(&args.file))?;
    let request = request.written_as(args.written_as);
    say_format(&request);
    let ready = ready(settings, offline, Show::fitting(), &|| signals.raised())?;
    let composed = compose_for(&request, &ready, settings)?;
    let narration = &composed.narration;
    let mut front_ends = vec![ready.voice.front_end()?];
    for other in &narration.settings.others {
        front_ends.push(load_voice(settings, &other.voice)?.front_end()?);
    }
    let mut problems = 0;
    for (number, segment) in narration.plan.iter() {
        if let Some(code) = signals.exit_code() {
            return Ok(code);
        }
        let spoken = segment.spoken();
        let front_end = front_ends.get(usize::from(segment.voice));
        let utterance = front_end.unwrap_or(&front_ends[0]).prepare(&spoken)?;
        let problem = utterance.problem();
        problems += usize::from(problem.is_some());
        if args.json {
            let mut line = json!({
                "segment": number,
                "span": [segment.start, segment.end],
                "text": segment.text,
                "spoken": spoken,
                "pause_ms": segment.pause_ms,
                "phonemes": utterance.phonemes,
                "ids": utterance.ids,
            });
            if segment.voice > 0 {
                line["voice"] = json!(narration.voice_of(segment).0);
            }
            for (key, words) in [
                ("unknown", utterance.unknown_phonemes()),
                ("spelled", utterance.spelled),
            ] {
                if !words.is_empty() {
                    line[key] = json!(words);
                }
            }
            writeln!(out, "{line}")?;
        } else {
            writeln!(out, "{:>4}  {}", number.get(), segment.text)?;
            if spoken != *segment.text {
                writeln!(out, "      \"{spoken}\"")?;
            }
            writeln!(out, "      {}", utterance.phonemes)?;
            if let Some(problem) = problem {
                writeln!(out, "      ! the voice {problem}")?;
            }
        }
    }
    if problems > 0 {
        writeln!(
            std::io::stderr(),
            "aloud: what this voice can't speak is in {problems} segments; write the words as they \
             sound, or choose a voice of their language"
        )?;
    }
    Ok(ExitCode::SUCCESS)
}
