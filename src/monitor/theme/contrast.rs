//! Can every theme be read? Measured, not guessed: contrast by the formula of WCAG 2, distances of
//! colours in CIELAB, also as people with other colour vision see them. Only tests; it must never
//! be about taste.

use ratatui::style::Color;

use super::depth::{ColorDepth, seen};
use super::{Role, Theme};

type Rgb = [u8; 3];

/// What is read, on any background.
const TEXTS: [Role; 12] = [
    Role::Screen,
    Role::Text,
    Role::Brand,
    Role::Accent,
    Role::Heading,
    Role::Pending,
    Role::Running,
    Role::Done,
    Role::Failed,
    Role::Key,
    Role::Warning,
    Role::Dialog,
];

/// What may stand back.
const QUIET: [Role; 3] = [Role::Muted, Role::Hint, Role::Cancelled];

const GROUNDS: [Role; 4] = [
    Role::Screen,
    Role::Selected,
    Role::SelectedQuiet,
    Role::Dialog,
];

const STATES: [Role; 5] = [
    Role::Pending,
    Role::Running,
    Role::Done,
    Role::Failed,
    Role::Cancelled,
];

/// Deficiencies of colour vision, complete ones, as matrices over linear RGB, from Machado,
/// Oliveira and Fernandes, “A Physiologically-based Model for Simulation of Color Vision
/// Deficiency”, IEEE TVCG 15 (2009).
const PROTANOPIA: [[f64; 3]; 3] = [
    [0.152_286, 1.052_583, -0.204_868],
    [0.114_503, 0.786_281, 0.099_216],
    [-0.003_882, -0.048_116, 1.051_998],
];
const DEUTERANOPIA: [[f64; 3]; 3] = [
    [0.367_322, 0.860_646, -0.227_968],
    [0.280_085, 0.672_501, 0.047_413],
    [-0.011_820, 0.042_940, 0.968_881],
];
const FULL_VISION: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// Linear RGB from sRGB, each 0 to 1 (IEC 61966-2-1).
fn linear(color: Rgb) -> [f64; 3] {
    color.map(|byte| {
        let part = f64::from(byte) / 255.0;
        if part <= 0.040_45 {
            part / 12.92
        } else {
            ((part + 0.055) / 1.055).powf(2.4)
        }
    })
}

/// Relative luminance as WCAG 2.2 defines it: 0.2126 R + 0.7152 G + 0.0722 B, linear.
fn luminance([red, green, blue]: [f64; 3]) -> f64 {
    0.2126 * red + 0.7152 * green + 0.0722 * blue
}

/// The contrast ratio of WCAG 2.2, 1 to 21: (L1 + 0.05) / (L2 + 0.05), the lighter one first.
fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(linear(a)) + 0.05, luminance(linear(b)) + 0.05);
    (a / b).max(b / a)
}

/// CIELAB under D65, of a colour as seen through a matrix.
fn lab(color: Rgb, vision: [[f64; 3]; 3]) -> [f64; 3] {
    let full = linear(color);
    let [red, green, blue] = vision.map(|row| {
        let sum: f64 = row
            .iter()
            .zip(full)
            .map(|(factor, part)| factor * part)
            .sum();
        sum.clamp(0.0, 1.0)
    });
    let x = (0.4124 * red + 0.3576 * green + 0.1805 * blue) / 0.950_47;
    let y = luminance([red, green, blue]);
    let z = (0.0193 * red + 0.1192 * green + 0.9505 * blue) / 1.088_83;
    let [x, y, z] = [x, y, z].map(|part| {
        if part > 0.008_856 {
            part.cbrt()
        } else {
            7.787 * part + 16.0 / 116.0
        }
    });
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

/// ΔE*ab (CIE 1976): 2 can just be told apart side by side, 15 at a glance.
fn difference(a: Rgb, b: Rgb, vision: [[f64; 3]; 3]) -> f64 {
    let (a, b) = (lab(a, vision), lab(b, vision));
    let squares = a.into_iter().zip(b).map(|(a, b)| (a - b).powi(2));
    squares.sum::<f64>().sqrt()
}

/// The themes that have a background of their own; the others are drawn on the terminal's.
fn themes(depth: ColorDepth) -> Vec<Theme> {
    let mut themes = Theme::built_in(depth).unwrap();
    themes.retain(|theme| !["mono", "ansi"].contains(&theme.name()));
    assert!(themes.len() >= 8);
    themes
}

/// What a role looks like on a background, as the views lay one over the other.
fn on(theme: &Theme, role: Role, ground: Role) -> (Rgb, Rgb) {
    let screen = theme.style(Role::Screen);
    let (role, below) = (theme.style(role), theme.style(ground));
    let style = match ground {
        Role::Screen => screen.patch(role),
        Role::Dialog => screen.patch(below).patch(role),
        // A row is marked when its text stands.
        _ => screen.patch(role).patch(below),
    };
    let rgb = |color: Option<Color>| color.and_then(seen).unwrap();
    (rgb(style.fg), rgb(style.bg))
}

fn foreground(theme: &Theme, role: Role) -> Rgb {
    on(theme, role, Role::Screen).0
}

#[test]
fn the_formulas_give_known_values() {
    assert!((contrast([0; 3], [255; 3]) - 21.0).abs() < 1e-9);
    // The grey that WCAG's own explanations name as just enough on white.
    assert!((contrast([0x76; 3], [255; 3]) - 4.54).abs() < 0.01);
    let [light, a, b] = lab([255, 0, 0], FULL_VISION);
    assert!((light - 53.2).abs() < 0.1 && (a - 80.1).abs() < 0.2 && (b - 67.2).abs() < 0.2);
    // Whoever sees no difference between red and green sees none in greys either, nor loses any.
    for vision in [PROTANOPIA, DEUTERANOPIA] {
        assert!(difference([0; 3], [255; 3], vision) > 99.0);
        let green_red = difference([0x60, 0x90, 0x20], [0xA0, 0x75, 0x20], vision);
        assert!(green_red < difference([0x60, 0x90, 0x20], [0xA0, 0x75, 0x20], FULL_VISION) / 2.0);
    }
}

#[test]
fn every_text_can_be_read_on_every_background() {
    for depth in [
        ColorDepth::TrueColor,
        ColorDepth::Ansi256,
        ColorDepth::Ansi16,
    ] {
        for theme in themes(depth) {
            for (role, name) in Role::ALL {
                let (text, quiet) = (TEXTS.contains(&role), QUIET.contains(&role));
                if !text && !quiet {
                    continue;
                }
                // The nearest of few colours is only near; sixteen are what the user made them.
                let least = match (theme.name(), depth) {
                    (_, ColorDepth::Ansi16) => 3.0,
                    ("high-contrast", _) => 7.0,
                    (_, ColorDepth::Ansi256) if text => 4.0,
                    _ if text => 4.5,
                    (_, ColorDepth::Ansi256) => 2.75,
                    _ => 3.0,
                };
                for ground in GROUNDS {
                    let (fg, bg) = on(&theme, role, ground);
                    let ratio = contrast(fg, bg);
                    assert!(
                        ratio >= least,
                        "{} in {depth:?}: {name} on {ground:?} has {ratio:.2}",
                        theme.name()
                    );
                }
            }
        }
    }
}

#[test]
fn bars_and_frames_and_the_selection_can_be_seen() {
    for depth in [
        ColorDepth::TrueColor,
        ColorDepth::Ansi256,
        ColorDepth::Ansi16,
    ] {
        for theme in themes(depth) {
            let screen = on(&theme, Role::Screen, Role::Screen).1;
            let track = theme.style(Role::BarTrack).bg.and_then(seen);
            let at_least = |ratio: f64, least: f64, what: &str| {
                let name = theme.name();
                assert!(ratio >= least, "{name} in {depth:?}: {what} has {ratio:.2}");
            };
            for (fill, least) in [
                (Role::Bar, 3.0),
                (Role::Done, 3.0),
                (Role::Failed, 3.0),
                (Role::Cancelled, 2.0),
            ] {
                let fill = foreground(&theme, fill);
                at_least(contrast(fill, track.unwrap_or(screen)), least, "a bar");
            }
            if let Some(track) = track {
                at_least(contrast(track, screen), 1.15, "the track");
            }
            let line = |role| contrast(foreground(&theme, role), screen);
            at_least(line(Role::Border), 1.4, "a frame");
            at_least(line(Role::BorderFocused), 3.0, "the frame of the focus");
            let (_, selected) = on(&theme, Role::Text, Role::Selected);
            at_least(contrast(selected, screen), 1.1, "the selection");
        }
    }
}

#[test]
fn states_differ() {
    for theme in Theme::built_in(ColorDepth::Ansi16).unwrap() {
        let styles = STATES.map(|state| theme.style(state));
        for (place, style) in styles.iter().enumerate() {
            // Without colours, symbols and words are left.
            let same = styles[..place].contains(style) && theme.name() != Theme::MONO;
            assert!(!same, "{}: {:?}", theme.name(), STATES[place]);
        }
    }
    for depth in [ColorDepth::TrueColor, ColorDepth::Ansi256] {
        for theme in themes(depth) {
            let visions: &[_] = match theme.name() {
                "okabe-ito" => &[FULL_VISION, PROTANOPIA, DEUTERANOPIA],
                _ => &[FULL_VISION],
            };
            let least = if visions.len() > 1 { 20.0 } else { 15.0 };
            let least = if depth == ColorDepth::Ansi256 {
                12.0
            } else {
                least
            };
            for (place, state) in STATES.iter().enumerate() {
                for other in &STATES[..place] {
                    let (a, b) = (foreground(&theme, *state), foreground(&theme, *other));
                    for vision in visions {
                        let apart = difference(a, b, *vision);
                        assert!(
                            apart >= least,
                            "{} in {depth:?}: {state:?} and {other:?} are {apart:.0} apart",
                            theme.name()
                        );
                    }
                }
            }
        }
    }
}

/// The terminal's own background is not known: its colours must do on black and on white.
#[test]
fn the_theme_of_sixteen_does_on_dark_and_on_light() {
    let themes = Theme::built_in(ColorDepth::TrueColor).unwrap();
    let ansi = themes.iter().find(|theme| theme.name() == "ansi").unwrap();
    for (role, name) in Role::ALL {
        let style = ansi.style(role);
        assert_eq!(style.bg, None, "{name}");
        if let Some(color) = style.fg.filter(|color| *color != Color::Reset) {
            let color = seen(color).expect("one of the sixteen");
            for ground in [[0; 3], [255; 3]] {
                let ratio = contrast(color, ground);
                assert!(ratio >= 2.4, "{name} on {ground:?} has {ratio:.2}");
            }
        }
    }
}
