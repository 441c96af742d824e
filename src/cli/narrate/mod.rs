//! `aloud narrate`: narrates texts without the monitor, here or where the library is open already, and
//! tells how it goes.

mod watch;

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use super::fetching::Show;
use super::limits::LimitArgs;
use super::queue::{text_of, working};
use super::report::{Narrated, Reporter, Summary, segment_problem, with_advice};
use super::signals::Signals;
use super::site::{Here, Site};
use super::submit::ready;
use crate::engine::Submission;
use crate::model::{Limits, TaskId, TaskState};
use crate::narrate::{ComposeError, Composed, NewNarration, NewText, OtherVoices, Request, Voices};
use crate::service::{
    Action, NarrationDefaults, Ready, Refusal, Service, Submitted, TaskSummary, compose_for,
    foreign, submit_with,
};
use crate::settings::Settings;
use crate::text::{FormatName, printable};
use watch::{Narrating, Way};

/// Arguments of `aloud narrate`.
#[derive(Debug, clap::Args)]
pub(super) struct NarrateArgs {
    /// The texts: plain text, Markdown or HTML; `-` for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,
    /// The format they are read in, whatever their names say: md, txt or html
    #[arg(long = "as", value_name = "FORMAT")]
    pub written_as: Option<FormatName>,
    /// Plain lines instead of progress bars
    #[arg(long, conflicts_with = "json")]
    pub plain: bool,
    /// One JSON object an event, and a summary at the end
    #[arg(long)]
    pub json: bool,
    /// Return at once: the work goes on in the background, before what waits there
    #[arg(long)]
    pub detach: bool,
    #[command(flatten)]
    pub limits: LimitArgs,
}

/// A text that was named, and what is made of it.
struct Named {
    name: String,
    file: PathBuf,
    request: Request,
    composed: Composed,
}

pub(super) fn run(
    args: &NarrateArgs,
    settings: &Settings,
    offline: bool,
    signals: &Signals,
) -> anyhow::Result<ExitCode> {
    // All texts are read before anything is fetched, opened or begun: bad input costs nothing.
    let read = || {
        args.files
            .iter()
            .map(|file| Ok(Request::read(file)?.written_as(args.written_as)))
            .collect::<Result<Vec<_>, ComposeError>>()
    };
    let requests = signals.exiting_at_once(read)?;
    // Standard output is for the events; what is fetched is said on standard error.
    let show = if args.json || args.plain {
        Show::Lines
    } else {
        Show::fitting()
    };
    let ready = ready(settings, offline, show, &|| signals.raised())?;
    let limits = args.limits.limits();
    let voices = Voices::new(settings);
    if limits.is_none() && !args.detach {
        // It opens while the texts are cut.
        voices.warm_up(&ready.reference, &ready.voice);
    }
    let mut named = Vec::new();
    for (file, request) in args.files.iter().zip(requests) {
        named.push(Named {
            name: request.name.clone(),
            file: file.clone(),
            composed: compose_for(&request, &ready, settings)?,
            request,
        });
    }
    check_output(settings)?;
    let new = Adding {
        settings,
        ready: &ready,
        limits,
        written_as: args.written_as,
    };
    if args.detach {
        return detach(args, new, named);
    }
    let begun = Instant::now();
    let mut reporter = if args.json {
        Reporter::Json
    } else if args.plain || !std::io::stderr().is_terminal() {
        Reporter::Plain
    } else {
        Reporter::bars()
    };
    let heard = signals.listen();
    let site = Site::find(settings, &voices, signals, true)?;
    let (mine, was_there) = new.add_all(&site, named, &mut reporter)?;
    let ids: Vec<TaskId> = mine.iter().map(|task| task.id.clone()).collect();
    let others = come_first(site.service(), &ids, was_there)?;
    if others > 0 {
        reporter.note(&format!(
            "{others} unfinished narration(s) wait until these are done"
        ));
    }
    site.begin();
    let narrating = Narrating::new(settings, &voices, (signals, heard), &mut reporter, mine);
    let (tasks, way, ended) = narrating.follow(site)?;
    reporter.summary(&Summary::new(&tasks, ended - begun));
    let failed = say_failures(&tasks, way);
    if way == Way::TerminalLost {
        return Ok(ExitCode::from(129));
    }
    Ok(signals.exit_code().unwrap_or(if failed {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    }))
}

/// Tells an output folder that can't be written before the engine is opened.
fn check_output(settings: &Settings) -> anyhow::Result<()> {
    let failed = |source| ComposeError::Output {
        path: settings.out.clone(),
        source,
    };
    crate::files::create_folders(&settings.out).map_err(failed)?;
    tempfile::Builder::new()
        .prefix(".aloud-")
        .tempfile_in(&settings.out)
        .map_err(failed)?;
    Ok(())
}

/// What a person named now comes before what is left from yesterday, in the order in which it was named:
/// some of it may have been there, in another one. Returns how many others there are.
fn come_first(service: &dyn Service, mine: &[TaskId], was_there: bool) -> Result<usize, Refusal> {
    let is_open = |id: &&TaskId| {
        let task = service.task(id);
        task.is_ok_and(|task| !task.state.is_terminal())
    };
    let open = mine.iter().filter(is_open).count();
    let stats = service.stats()?;
    let others = (stats.pending + stats.processing).saturating_sub(open);
    if others > 0 || (was_there && open > 1) {
        let tasks = mine.to_vec();
        service.act(&Action::First { tasks })?;
    }
    Ok(others)
}

/// How texts are added.
#[derive(Clone, Copy)]
struct Adding<'a> {
    settings: &'a Settings,
    ready: &'a Ready,
    limits: Limits,
    written_as: Option<FormatName>,
}

impl Adding<'_> {
    fn add_all(
        self,
        site: &Site,
        named: Vec<Named>,
        reporter: &mut Reporter,
    ) -> anyhow::Result<(Vec<TaskSummary>, bool)> {
        let mut mine: Vec<TaskSummary> = Vec::new();
        let mut was_there = false;
        for text in named {
            let (name, notes) = (text.name.clone(), self.notes(&text));
            let submitted = match site {
                Site::Here(here) => self.submit(here, text.composed)?,
                Site::There(there) => self.send(&there.service, text)?,
            };
            if mine.iter().any(|task| task.id == submitted.id) {
                let name = printable(&name);
                reporter.note(&format!("{name} is given twice: it is spoken once"));
                continue;
            }
            was_there |= submitted.continued;
            let task = site.service().task(&submitted.id)?;
            reporter.submitted(&task, &name, submitted.continued, &notes);
            mine.push(task);
        }
        Ok((mine, was_there))
    }

    fn submit(self, here: &Here, composed: Composed) -> anyhow::Result<Submitted> {
        let with = |submission: Submission| submission.limits(self.limits);
        submit_with(&here.engine, self.settings, composed, with)
    }

    fn send(self, service: &dyn Service, text: Named) -> anyhow::Result<Submitted> {
        let new = self.narration(text_of(&text.file, text.request)?);
        Ok(service.add(&new, Some(&self.settings.out))?)
    }

    fn narration(self, text: NewText) -> NewNarration {
        let defaults = NarrationDefaults {
            voice: self.ready.reference.clone(),
            speed: self.settings.speed,
            speaker: self.settings.speaker.clone(),
        };
        NewNarration {
            limits: self.limits,
            written_as: self.written_as,
            others: OtherVoices::of(self.settings),
            ..defaults.narrate(text)
        }
    }

    fn notes(self, text: &Named) -> Vec<String> {
        let composed = &text.composed;
        let mut notes = Vec::from_iter(text.request.format().note());
        let language = composed.language.as_ref();
        notes.extend(foreign(self.settings, self.ready.voice.info(), language));
        notes.extend(composed.left.iter().map(|left| {
            format!(
                "left out: {} × {} ({} bytes)",
                left.stretches, left.reason, left.bytes
            )
        }));
        if composed.estimated_files > 1 {
            notes.push(format!(
                "about {:.0} hours of speech: the joined narration will be split into about {} files, \
                 for a WAV file holds 4 GiB ({} Hz)",
                composed.estimated_seconds / 3600.0,
                composed.estimated_files,
                self.ready.voice.info().sample_rate,
            ));
        }
        notes
    }
}

/// Gives the texts to whoever works the queue, or starts that, and returns.
fn detach(args: &NarrateArgs, new: Adding<'_>, named: Vec<Named>) -> anyhow::Result<ExitCode> {
    let service = working(new.settings)?;
    let mut out = std::io::stdout().lock();
    let (mut mine, mut was_there) = (Vec::new(), false);
    for text in named {
        let name = text.name.clone();
        for note in new.notes(&text) {
            // Whoever does not read it hears what came of it.
            let _ = writeln!(std::io::stderr(), "aloud: {}: {note}", printable(&name));
        }
        let added = new.send(&service, text)?;
        mine.push(added.id.clone());
        // The first one need not wait until the last one is read.
        was_there |= added.continued;
        come_first(&service, &mine, was_there)?;
        if args.json {
            writeln!(out, "{}", serde_json::to_string(&added)?)?;
        } else {
            writeln!(out, "{} is {}", printable(&name), added.id)?;
        }
    }
    if !args.json {
        writeln!(
            out,
            "The work goes on in the background; `aloud status` shows it, `aloud attach` opens it."
        )?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Says on standard error what failed, and returns whether anything did.
fn say_failures(tasks: &[Narrated], way: Way) -> bool {
    let mut err = std::io::stderr().lock();
    let mut failed = false;
    let mut say = |text: String| {
        // The exit code says it too.
        let _ = writeln!(err, "aloud: {text}");
    };
    for Narrated { task, faulty } in tasks {
        for segment in faulty {
            for error in &segment.errors {
                let id = segment.segment_id;
                say(segment_problem(&task.title, id, Some(segment), error));
            }
        }
        if let (TaskState::Failed, Some(error)) = (task.state, &task.error) {
            say(format!(
                "{}: {}",
                printable(&task.title),
                with_advice(error)
            ));
        }
        // One that has not ended was stopped; without a signal behind it that is a failure, too.
        failed |= task.state != TaskState::Completed || task.failed_segments > 0;
    }
    if way == Way::Abandoned {
        say(
            "whoever worked the queue was ended; what is unfinished goes on at the next start"
                .into(),
        );
    }
    failed
}
