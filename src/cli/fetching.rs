//! Showing how assets are fetched: bars on a terminal, plain lines otherwise, always on standard
//! error. It draws only what the assets tell it, and must never decide what is fetched.

use std::{
    io::{IsTerminal, Write},
    time::Duration,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::bars::BarTerminal;
use crate::assets::{Assets, Fetch, FetchEvent, PieceId, human_size};

/// How the fetching is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Show {
    /// Bars that move in place.
    Bars,
    /// One line for each thing that happened.
    Lines,
    /// Nothing.
    Nothing,
}

impl Show {
    /// Bars if standard error is a terminal that can draw them, lines otherwise.
    #[must_use]
    pub fn fitting() -> Show {
        let draws = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
        if std::io::stderr().is_terminal() && draws {
            Show::Bars
        } else {
            Show::Lines
        }
    }
}

/// Hears [`FetchEvent`]s and shows them.
pub struct Shower {
    show: Show,
    /// Where bars are drawn.
    terminal: Option<BarTerminal>,
    bar: Option<ProgressBar>,
    doing: String,
}

impl Shower {
    /// A new one, with nothing on the screen yet.
    #[must_use]
    pub fn new(show: Show) -> Shower {
        Shower {
            show,
            terminal: (show == Show::Bars).then(BarTerminal::open).flatten(),
            bar: None,
            doing: String::new(),
        }
    }

    /// Shows one event.
    pub fn event(&mut self, event: FetchEvent<'_>) {
        match event {
            FetchEvent::Waiting => {
                self.line("… another aloud is fetching; waiting for it to finish");
            }
            FetchEvent::Verifying { piece, done, total } => {
                self.step("checking", &piece.name(), done, total, false);
            }
            FetchEvent::Verified { piece } => self.line(&format!("✔ checked   {}", piece.name())),
            FetchEvent::Damaged { why, .. } => self.line(&format!("✖ {why}")),
            FetchEvent::Downloading { piece, done, total } => {
                self.step("fetching", &piece.name(), done, total, true);
            }
            FetchEvent::Found { piece, path } => {
                self.line(&format!(
                    "… trying    {} from {}",
                    piece.name(),
                    path.display()
                ));
            }
            FetchEvent::Unpacking { piece, done, total } => {
                self.step("unpacking", &piece.name(), done, total, false);
            }
            FetchEvent::Installed { piece, .. } => {
                self.line(&format!("✔ installed {} (SHA-256 correct)", piece.name()));
            }
        }
    }

    /// Removes a bar that is still on the screen.
    pub fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        self.doing.clear();
    }

    fn line(&mut self, text: &str) {
        self.finish();
        match &self.terminal {
            Some(terminal) => terminal.line(text),
            None if self.show == Show::Nothing => {}
            None => {
                // Nobody is left to be told when standard error is gone.
                let _ = writeln!(std::io::stderr(), "{text}");
            }
        }
    }

    fn step(&mut self, verb: &str, what: &str, done: u64, total: u64, announce: bool) {
        let doing = format!("{verb:<9} {what}");
        if self.doing != doing {
            self.finish();
            match self.show {
                Show::Bars => {
                    let target = self.terminal.as_ref().map(BarTerminal::target);
                    self.bar = Some(bar(&doing, total, target));
                }
                Show::Lines if announce => self.line(&format!("↓ {doing} ({})", human_size(total))),
                _ => {}
            }
            self.doing = doing;
        }
        if let Some(bar) = &self.bar {
            bar.set_position(done);
        }
    }
}

fn bar(doing: &str, total: u64, target: Option<ProgressDrawTarget>) -> ProgressBar {
    let target = target.unwrap_or_else(ProgressDrawTarget::hidden);
    let plain = "  {msg} {bar:24} {percent:>3} %  {decimal_bytes} of {decimal_total_bytes}  {decimal_bytes_per_sec}";
    let style = ProgressStyle::with_template(plain)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("█▌─");
    let bar = ProgressBar::with_draw_target(Some(total), target)
        .with_style(style)
        .with_message(doing.to_owned());
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// Brings what a command needs before it starts: says what will be fetched and how large it is
/// in all, then shows it on standard error. Does nothing when everything is there.
///
/// # Errors
/// [`crate::assets::AssetError`] (inside, to be found by downcasting), `Interrupted` among them.
pub fn ensure_for_use(
    assets: &Assets,
    need: &[PieceId],
    offline: bool,
    show: Show,
    interrupted: &dyn Fn() -> bool,
) -> anyhow::Result<()> {
    let missing = assets.missing(need);
    if missing.is_empty() {
        return Ok(());
    }
    let from = if offline {
        Fetch::Offline
    } else {
        Fetch::Network
    };
    let mut shower = Shower::new(show);
    if !offline && missing.iter().all(|piece| piece.can_be_fetched()) {
        let names: Vec<String> = missing
            .iter()
            .map(|piece| format!("{} ({})", piece.name(), human_size(piece.download_size())))
            .collect();
        let total = missing.iter().map(|piece| piece.download_size()).sum();
        shower.line(&format!(
            "Fetching what is missing, {} in all: {}\nto {} (once; --offline forbids it)",
            human_size(total),
            names.join(", "),
            assets.data_folder().display()
        ));
    }
    let done = assets.ensure(need, &from, &mut |event| shower.event(event), interrupted);
    shower.finish();
    Ok(done?)
}

/// Columns, each as wide as its widest cell; the last one is left as it is.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    use unicode_width::UnicodeWidthStr;
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column| {
        rows.iter()
            .filter_map(|row| row.get(column))
            .map(|c: &String| c.width())
            .max()
    };
    let widths: Vec<usize> = (0..columns)
        .map(|column| width(column).unwrap_or(0))
        .collect();
    let mut out = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            line.push_str(cell);
            line.extend(std::iter::repeat_n(
                ' ',
                width.saturating_sub(cell.width()) + 2,
            ));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}
