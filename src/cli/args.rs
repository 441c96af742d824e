//! What can be typed.

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Parser, Subcommand};

use super::bench::BenchArgs;
use super::clean::CleanArgs;
use super::demo::DemoArgs;
use super::doctor::DoctorArgs;
use super::narrate::NarrateArgs;
use super::phonemes::PhonemesArgs;
use super::queue::{
    AddArgs, HealthArgs, LogArgs, MoveArgs, SchedulesArgs, ServeArgs, StatusArgs, SteerArgs,
    WaitArgs,
};
use super::setup::SetupArgs;
use super::voices::VoicesArgs;
use super::webhook::WebhookArgs;
use crate::narrate::Speaker;
use crate::settings::{ChapterVoices, Overrides};

/// Narrates long texts with neural voices on your own machine, and shows the work.
///
/// Without a command it opens the monitor and continues with whatever is unfinished.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = false)]
pub(super) struct Args {
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The voice: a name from `aloud voices`, or a path to an `.onnx` file
    #[arg(long, global = true, value_name = "VOICE")]
    pub voice: Option<String>,
    /// The folder that narrations go to
    #[arg(long, global = true, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How fast the voice speaks: 1 is its own pace
    #[arg(long, global = true, value_name = "FACTOR")]
    pub speed: Option<f32>,
    /// Which of the voice's speakers: a number, counted from 0, or a name
    #[arg(long, global = true, value_name = "SPEAKER")]
    pub speaker: Option<Speaker>,
    /// The voice that says what stands in quotation marks
    #[arg(long, global = true, value_name = "VOICE")]
    pub dialogue_voice: Option<String>,
    /// Voices that tell chapters, as "1=af_heart, 3-5=bf_emma"
    #[arg(long, global = true, value_name = "CHAPTERS")]
    pub chapter_voices: Option<ChapterVoices>,
    /// The monitor's colours
    #[arg(long, global = true, value_name = "THEME")]
    pub theme: Option<String>,
    /// Don't use the network
    #[arg(long, global = true)]
    pub offline: bool,
    /// Plain lines for screen readers, and commands by letter and Enter, instead of the monitor
    #[arg(
        long,
        global = true,
        env = "ACCESSIBLE",
        hide_env_values = true,
        value_parser = FalseyValueParser::new()
    )]
    pub accessible: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Narrate the samples that come with the program, in the monitor
    Demo(DemoArgs),
    /// Narrate texts without the monitor
    Narrate(NarrateArgs),
    /// Open the monitor on whoever works the queue
    #[cfg(feature = "monitor")]
    Attach,
    /// Give texts to whoever works the queue, or start that, and return
    Add(AddArgs),
    /// Say what recurs, and end it
    Schedules(SchedulesArgs),
    /// Say how things stand
    Status(StatusArgs),
    /// Wait until tasks have ended; the exit code says how
    Wait(WaitArgs),
    /// Break tasks off; what they have made stays
    Cancel(SteerArgs),
    /// Hold tasks back, after the segment in work
    Pause(SteerArgs),
    /// Let tasks go on that are held back
    Resume(SteerArgs),
    /// Begin tasks again that failed or were cancelled, with what they have made
    Retry(SteerArgs),
    /// Move a waiting task in the queue
    Move(MoveArgs),
    /// Say whether whoever works the queue is well; the exit code says so too
    Health(HealthArgs),
    /// Show the last lines of the log
    Log(LogArgs),
    /// Work the queue without a screen, for whoever asks
    Serve(ServeArgs),
    /// End whoever works the queue, after the segment in work
    Stop,
    /// Show how each segment of a text will be spoken
    Phonemes(PhonemesArgs),
    /// Fetch or verify what narrating needs
    Setup(SetupArgs),
    /// Check every piece and setting, and say what to do
    Doctor(DoctorArgs),
    /// Measure a voice on this machine, and remember what is best
    Bench(BenchArgs),
    /// Delete kept clips that were not used for longest; narrations keep theirs
    Clean(CleanArgs),
    /// List voices
    Voices(VoicesArgs),
    /// Try out webhooks
    Webhook(WebhookArgs),
    /// Serve a voice to the program that started this one; not for people
    #[command(hide = true)]
    Voice,
}

impl Args {
    pub(super) fn overrides(&self) -> Overrides {
        Overrides {
            voice: self.voice.clone(),
            out: self.out.clone(),
            speed: self.speed,
            speaker: self.speaker.clone(),
            dialogue_voice: self.dialogue_voice.clone(),
            chapter_voices: self.chapter_voices.clone(),
            theme: self.theme.clone(),
            ..Overrides::default()
        }
    }
}
