//! Takes the pictures in the README: runs the real program in a pseudo-terminal, narrating the
//! samples with the real voice, and saves what the screen shows as SVG.
//!
//!     cargo build --release && cargo run --release --example pictures
//!
//! What narrating needs is taken from the user's own folders (`aloud setup` fetches it), the work
//! goes to a folder that is removed again.

#[path = "../tests/kit/pty.rs"]
mod pty;

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use aloud::settings::Paths;
use pty::Terminal;

/// Size of a character cell in the picture.
const CELL: (f32, f32) = (9.0, 19.0);
const DEFAULT_FOREGROUND: &str = "#d4d4d8";
const DEFAULT_BACKGROUND: &str = "#101014";

/// A picture: what it is called, how the program is run, and what is done before it is taken.
struct Picture {
    name: &'static str,
    theme: &'static str,
    size: (u16, u16),
    args: &'static [&'static str],
    steps: &'static [Step],
}

/// Something a person does, or waits for.
enum Step {
    /// Until this is on the screen.
    Until(&'static str),
    /// Until the second narration is well under way.
    InTheMiddle,
    /// Keys, as a terminal sends them.
    Press(&'static str),
}

use Step::{InTheMiddle, Press, Until};

const WIDE: (u16, u16) = (120, 36);
const SMALL: (u16, u16) = (80, 24);
const DEMO: &[&str] = &["demo", "--offline"];

const PICTURES: &[Picture] = &[
    Picture {
        name: "monitor",
        theme: "dark",
        size: WIDE,
        args: DEMO,
        steps: &[
            InTheMiddle,
            Press("\t"),
            Press("\x1b[A"),
            Press("\x1b[A"),
            Until("of audio in"),
            Until("0."),
            Until("⣿"),
        ],
    },
    Picture {
        name: "clips",
        theme: "dusk",
        size: WIDE,
        args: DEMO,
        steps: &[InTheMiddle, Press("2"), Press("\x1b[A"), Until("⣿")],
    },
    Picture {
        name: "palette",
        theme: "dark",
        size: WIDE,
        args: DEMO,
        steps: &[InTheMiddle, Press(":"), Until("All actions")],
    },
    Picture {
        name: "add",
        theme: "ember",
        size: WIDE,
        args: DEMO,
        steps: &[
            InTheMiddle,
            Press("a"),
            Press("/usr/share/\t"),
            Until("   "),
        ],
    },
    Picture {
        name: "help",
        theme: "light",
        size: WIDE,
        args: DEMO,
        steps: &[InTheMiddle, Press("?"), Until("Esc closes")],
    },
    Picture {
        name: "tour",
        theme: "dark",
        size: WIDE,
        args: &["demo", "--offline", "--tour"],
        steps: &[Until("An error names"), Until("os error")],
    },
    Picture {
        name: "monitor-small",
        theme: "dark",
        size: SMALL,
        args: DEMO,
        steps: &[InTheMiddle],
    },
    Picture {
        name: "monitor-small-light",
        theme: "light",
        size: SMALL,
        args: DEMO,
        steps: &[InTheMiddle],
    },
    Picture {
        name: "monitor-tiny",
        theme: "dark",
        size: (40, 12),
        args: DEMO,
        steps: &[InTheMiddle],
    },
];

/// Takes all pictures, or those that are named.
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let program = program()?;
    let data = Paths::resolve()?.data;
    let pictures = root.join("tests/pictures");
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    for picture in PICTURES {
        if !wanted.is_empty() && !wanted.iter().any(|name| name == picture.name) {
            continue;
        }
        let home = tempfile::Builder::new().prefix("aloud-").tempdir()?;
        std::os::unix::fs::symlink(&data, home.path().join("data"))?;
        let mut args = picture.args.to_vec();
        args.extend(["--theme", picture.theme]);
        let mut terminal = Terminal::run(&program, &args, home.path(), picture.size);
        for step in picture.steps {
            match step {
                Until(text) => terminal.until(text),
                Press(keys) => terminal.press(keys),
                InTheMiddle => terminal.until_screen("the second narration", |screen| {
                    let row = screen
                        .lines()
                        .find(|line| line.contains("Night"))
                        .unwrap_or_default();
                    let words: Vec<_> = row.split_whitespace().collect();
                    words.windows(2).any(|pair| {
                        pair[1] == "%" && pair[0].parse::<u8>().is_ok_and(|percent| percent > 30)
                    })
                }),
            }
        }
        let file = pictures.join(format!("{}.svg", picture.name));
        std::fs::write(file, svg(terminal.screen()))?;
        println!("tests/pictures/{}.svg", picture.name);
    }
    Ok(())
}

/// The program that was built beside this example.
fn program() -> Result<PathBuf, Box<dyn std::error::Error>> {
    let beside = std::env::current_exe()?;
    let folder = beside
        .parent()
        .and_then(Path::parent)
        .ok_or("this example is nowhere")?;
    let program = folder.join("aloud");
    if program.is_file() {
        Ok(program)
    } else {
        Err("build the program first: cargo build".into())
    }
}

#[derive(PartialEq)]
struct Style {
    foreground: String,
    background: String,
    bold: bool,
    italic: bool,
    underline: bool,
}

fn svg(screen: &vt100::Screen) -> String {
    let (rows, cols) = (screen.size().0.get(), screen.size().1.get());
    let (width, height) = (f32::from(cols) * CELL.0, f32::from(rows) * CELL.1);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.1} {height:.1}\" font-size=\"15\" \
         shape-rendering=\"crispEdges\" font-family=\"'DejaVu Sans Mono','Cascadia Mono',Menlo,Consolas,monospace\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"{DEFAULT_BACKGROUND}\"/>\n"
    );
    for row in 0..rows {
        let mut col = 0;
        while col < cols {
            let style = style_of(screen, row, col);
            let start = col;
            let mut text = String::new();
            while col < cols && style_of(screen, row, col) == style {
                let cell = screen.cell(row, col);
                match cell
                    .map(vt100::Cell::contents)
                    .filter(|contents| !contents.is_empty())
                {
                    Some(contents) => text.push_str(contents),
                    None if cell.is_some_and(vt100::Cell::is_wide_continuation) => {}
                    None => text.push(' '),
                }
                col += 1;
            }
            run(&mut svg, &style, &text, (start, col - start), row);
        }
    }
    svg.push_str("</svg>\n");
    svg
}

fn run(svg: &mut String, style: &Style, text: &str, (start, cells): (u16, u16), row: u16) {
    let (x, y) = (f32::from(start) * CELL.0, f32::from(row) * CELL.1);
    let width = f32::from(cells) * CELL.0;
    if style.background != DEFAULT_BACKGROUND {
        let _ = writeln!(
            svg,
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{:.1}\" fill=\"{}\"/>",
            CELL.1, style.background
        );
    }
    let mut extra = String::new();
    for (wanted, attribute) in [
        (style.bold, " font-weight=\"bold\""),
        (style.italic, " font-style=\"italic\""),
        (style.underline, " text-decoration=\"underline\""),
    ] {
        if wanted {
            extra.push_str(attribute);
        }
    }
    // Every letter is put into its cell, and lines and blocks are drawn: fonts differ.
    let (mut letters, mut places) = (String::new(), String::new());
    let mut at = x;
    for letter in text.chars() {
        if let Some(shape) = shape(letter, at, y) {
            let _ = writeln!(svg, "{}", shape.replace("COLOR", &style.foreground));
        } else if letter != ' ' {
            match letter {
                '&' => letters.push_str("&amp;"),
                '<' => letters.push_str("&lt;"),
                '>' => letters.push_str("&gt;"),
                letter => letters.push(letter),
            }
            let _ = write!(places, "{at:.1} ");
        }
        at += CELL.0;
    }
    if !letters.is_empty() {
        let _ = writeln!(
            svg,
            "<text x=\"{}\" y=\"{:.1}\" fill=\"{}\"{extra}>{letters}</text>",
            places.trim_end(),
            y + 14.5,
            style.foreground
        );
    }
}

/// Lines of frames and blocks of bars as shapes that fill their cells.
fn shape(letter: char, x: f32, y: f32) -> Option<String> {
    let (w, h) = CELL;
    let (mid_x, mid_y, end_x, end_y) = (x + w / 2.0, y + h / 2.0, x + w, y + h);
    let path = |d: String| {
        Some(format!(
            "<path d=\"{d}\" fill=\"none\" stroke=\"COLOR\" stroke-width=\"1\"/>"
        ))
    };
    let block = |width: f32| {
        Some(format!(
            "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.2}\" height=\"{h:.1}\" \
             fill=\"COLOR\"/>"
        ))
    };
    match letter {
        '─' => path(format!("M{x} {mid_y}H{end_x}")),
        '│' => path(format!("M{mid_x} {y}V{end_y}")),
        '┃' => Some(format!(
            "<rect x=\"{:.1}\" y=\"{y}\" width=\"2\" height=\"{h}\" fill=\"COLOR\"/>",
            mid_x - 1.0
        )),
        '╭' => path(format!(
            "M{mid_x} {end_y}V{}Q{mid_x} {mid_y} {end_x} {mid_y}",
            mid_y + 4.0
        )),
        '╮' => path(format!(
            "M{mid_x} {end_y}V{}Q{mid_x} {mid_y} {x} {mid_y}",
            mid_y + 4.0
        )),
        '╰' => path(format!(
            "M{mid_x} {y}V{}Q{mid_x} {mid_y} {end_x} {mid_y}",
            mid_y - 4.0
        )),
        '╯' => path(format!(
            "M{mid_x} {y}V{}Q{mid_x} {mid_y} {x} {mid_y}",
            mid_y - 4.0
        )),
        '\u{2588}'..='\u{258f}' => {
            let eighths = u8::try_from(0x2590 - u32::from(letter)).ok()?;
            block(w * f32::from(eighths) / 8.0)
        }
        '\u{2801}'..='\u{28ff}' => Some(dots(u32::from(letter) - 0x2800, x, y)),
        _ => None,
    }
}

/// The dots of a letter of braille: two columns of four.
fn dots(bits: u32, x: f32, y: f32) -> String {
    let places: [(u8, u8); 8] = [
        (0, 0),
        (0, 1),
        (0, 2),
        (1, 0),
        (1, 1),
        (1, 2),
        (0, 3),
        (1, 3),
    ];
    let mut path = String::from("<path d=\"");
    for (bit, (column, row)) in places.into_iter().enumerate() {
        if bits >> bit & 1 == 1 {
            let (column, row) = (f32::from(column), f32::from(row));
            let (left, top) = (x + 1.3 + column * 4.5, y + 1.2 + row * 4.75);
            let _ = write!(path, "M{left:.1} {top:.1}h2.4v2.4h-2.4z");
        }
    }
    path + "\" fill=\"COLOR\"/>"
}

fn style_of(screen: &vt100::Screen, row: u16, col: u16) -> Style {
    let Some(cell) = screen.cell(row, col) else {
        return Style {
            foreground: DEFAULT_FOREGROUND.into(),
            background: DEFAULT_BACKGROUND.into(),
            bold: false,
            italic: false,
            underline: false,
        };
    };
    let mut foreground = color(cell.fgcolor(), DEFAULT_FOREGROUND);
    let mut background = color(cell.bgcolor(), DEFAULT_BACKGROUND);
    if cell.inverse() {
        std::mem::swap(&mut foreground, &mut background);
    }
    let (bold, italic, underline) = (cell.bold(), cell.italic(), cell.underline());
    Style {
        foreground,
        background,
        bold,
        italic,
        underline,
    }
}

/// The program asks for true colours here; indexed ones don't occur in its themes.
fn color(color: vt100::Color, default: &str) -> String {
    match color {
        vt100::Color::Rgb(r, g, b) => format!("#{r:02x}{g:02x}{b:02x}"),
        vt100::Color::Default | vt100::Color::Idx(_) => default.to_owned(),
    }
}
