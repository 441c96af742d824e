//! The places a setting can come from, in order: flag, environment, file, default. This part
//! decides which one wins and remembers it; it must never know a setting by name.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fmt, io,
    path::{Path, PathBuf},
};

use serde::Serialize;
use toml::de::{DeTable, DeValue};

use super::{
    SettingsError,
    error::shown,
    value::{Raw, Setting},
    webhook::{self, Webhook},
};
use crate::text::{DecodeError, decode};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// Built into the program.
    Default,
    /// This file, this line (from 1).
    File(PathBuf, usize),
    /// This environment variable.
    Environment(String),
    /// A flag on the command line.
    Flag,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(path, line) => write!(f, "{}:{line}", path.display()),
            Origin::Environment(variable) => f.write_str(variable),
            Origin::Flag => f.write_str("command line"),
        }
    }
}

/// One setting, its value and where that came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SettingOrigin {
    /// Its name in `config.toml`: `voice`, `pauses.sentence_ms`.
    pub name: &'static str,
    /// The value for a person.
    pub value: String,
    /// Where it came from.
    pub origin: Origin,
}

/// Environment variables by which documents of the engine call a setting; `ALOUD_…` counts before them.
const OTHER_NAMES: [(&str, &str); 3] = [
    ("workers", "MAX_ENGINE_WORKERS"),
    ("shutdown_timeout", "EXECUTOR_SHUTDOWN_TIMEOUT"),
    ("cleanup_threshold", "TASK_CLEANUP_THRESHOLD"),
];

/// The longest key, in bytes, that may be a setting's name with a slip in it.
const LONGEST_KEY: usize = 64;

/// What `config.toml` says: key → line and value.
pub(super) type Entries = BTreeMap<String, (usize, Raw)>;

pub(super) struct Sources<'e> {
    path: PathBuf,
    file: Entries,
    env: &'e dyn Fn(&str) -> Option<OsString>,
    pub(super) origins: Vec<SettingOrigin>,
}

impl<'e> Sources<'e> {
    /// Reads the file; a file that isn't there has nothing to say.
    pub(super) fn read(
        path: PathBuf,
        env: &'e dyn Fn(&str) -> Option<OsString>,
    ) -> Result<Sources<'e>, SettingsError> {
        let file = match std::fs::metadata(&path) {
            Ok(meta) if !meta.is_file() => return Err(SettingsError::NotAFile { path }),
            Ok(_) => match std::fs::read(&path).map(decode) {
                Ok(Ok(source)) => parse(&path, &source.text)?,
                Ok(Err(DecodeError::Empty)) => Entries::new(),
                Ok(Err(source)) => return Err(SettingsError::NotText { path, source }),
                Err(source) => return Err(SettingsError::Unreadable { path, source }),
            },
            Err(why)
                if matches!(
                    why.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) =>
            {
                Entries::new()
            }
            Err(source) => return Err(SettingsError::Unreadable { path, source }),
        };
        Ok(Sources {
            path,
            file,
            env,
            origins: Vec::new(),
        })
    }

    /// The value of one setting, by precedence; it is checked and its origin is recorded.
    pub(super) fn take<T: Setting>(
        &mut self,
        name: &'static str,
        flag: Option<T::Flag>,
        default: impl FnOnce() -> T,
        check: fn(&T) -> Result<(), String>,
    ) -> Result<T, SettingsError> {
        let variable = format!("ALOUD_{}", name.to_uppercase().replace('.', "_"));
        let other = OTHER_NAMES.iter().find(|(setting, _)| *setting == name);
        let other = other.map(|(_, variable)| (*variable).to_owned());
        let from_environment = [Some(variable), other]
            .into_iter()
            .flatten()
            .find_map(|variable| {
                let text = (self.env)(&variable).filter(|text| !text.is_empty())?;
                Some((variable, text))
            });
        let bad = |origin: &Origin, problem: String, given: String| SettingsError::BadValue {
            place: match origin {
                Origin::Flag => "the command line".to_owned(),
                other => other.to_string(),
            },
            name: name.to_owned(),
            problem,
            given: if T::IS_SECRET {
                "(not shown)".to_owned()
            } else {
                given
            },
        };
        let (value, origin, given) = if let Some(flag) = flag {
            let value = T::from_flag(flag);
            let given = shown(&value.show());
            (value, Origin::Flag, given)
        } else if let Some((variable, text)) = from_environment {
            let origin = Origin::Environment(variable);
            let given = shown(&text.to_string_lossy());
            match text.to_str().and_then(T::from_text) {
                Some(value) => (value, origin, given),
                None => return Err(bad(&origin, T::WANTS.to_owned(), given)),
            }
        } else if let Some((line, raw)) = self.file.get(name) {
            let origin = Origin::File(self.path.clone(), *line);
            let base = self.path.parent().unwrap_or(Path::new(""));
            match T::from_raw(raw, base) {
                Some(value) => (value, origin, raw.show()),
                None => return Err(bad(&origin, T::WANTS.to_owned(), raw.show())),
            }
        } else {
            (default(), Origin::Default, String::new())
        };
        check(&value).map_err(|problem| bad(&origin, problem, given))?;
        self.origins.push(SettingOrigin {
            name,
            value: value.show(),
            origin,
        });
        Ok(value)
    }

    /// A table of the file whose names are not known here, such as `keys`; its values are texts.
    pub(super) fn take_table(
        &mut self,
        name: &'static str,
    ) -> Result<BTreeMap<String, String>, SettingsError> {
        if let Some((line, raw)) = self.file.get(name) {
            return Err(SettingsError::BadValue {
                place: Origin::File(self.path.clone(), *line).to_string(),
                name: name.to_owned(),
                problem: format!("must be a table: a line [{name}], and its entries below it"),
                given: raw.show(),
            });
        }
        let prefix = format!("{name}.");
        let (mut table, mut first) = (BTreeMap::new(), None);
        for (key, (line, raw)) in std::mem::take(&mut self.file) {
            let Some(rest) = key.strip_prefix(&prefix) else {
                self.file.insert(key, (line, raw));
                continue;
            };
            let Raw::Text(text) = &raw else {
                return Err(SettingsError::BadValue {
                    place: Origin::File(self.path.clone(), line).to_string(),
                    name: shown(&key),
                    problem: String::WANTS.to_owned(),
                    given: raw.show(),
                });
            };
            first = first.or(Some(line));
            table.insert(rest.to_owned(), text.clone());
        }
        if let Some(line) = first {
            let shown = table
                .iter()
                .map(|(name, value)| format!("{name} = {value:?}"));
            self.origins.push(SettingOrigin {
                name,
                value: shown.collect::<Vec<_>>().join(", "),
                origin: Origin::File(self.path.clone(), line),
            });
        }
        Ok(table)
    }

    /// The tables under `[[webhooks]]`, in their order.
    pub(super) fn take_webhooks(&mut self) -> Result<Vec<Webhook>, SettingsError> {
        let mut tables: BTreeMap<usize, Entries> = BTreeMap::new();
        for (key, entry) in std::mem::take(&mut self.file) {
            let rest = key.strip_prefix("webhooks.").map(|rest| {
                let (number, name) = rest.split_once('.').unwrap_or((rest, ""));
                (number.parse::<usize>(), name.to_owned())
            });
            match rest {
                Some((Ok(number), name)) => {
                    tables.entry(number).or_default().insert(name, entry);
                }
                Some((Err(_), _)) => return Err(self.no_webhooks(&entry)),
                None if key == "webhooks" && entry.1 != Raw::Words(Vec::new()) => {
                    return Err(self.no_webhooks(&entry));
                }
                None if key == "webhooks" => {}
                None => {
                    self.file.insert(key, entry);
                }
            }
        }
        let mut webhooks: Vec<Webhook> = Vec::new();
        for entries in tables.into_values() {
            let line = entries.get("").map_or(1, |(line, _)| *line);
            let webhook = webhook::read(&self.path, line, &entries)?;
            if webhooks.iter().any(|other| other.name == webhook.name) {
                let given = format!("{:?}", shown(&webhook.name));
                let problem = "must be another one than those before it have: it tells them apart";
                return Err(webhook::bad(&self.path, line, "name", problem, given));
            }
            self.origins.push(SettingOrigin {
                name: "webhooks",
                value: webhook.show(),
                origin: Origin::File(self.path.clone(), line),
            });
            webhooks.push(webhook);
        }
        Ok(webhooks)
    }

    fn no_webhooks(&self, (line, raw): &(usize, Raw)) -> SettingsError {
        SettingsError::BadValue {
            place: Origin::File(self.path.clone(), *line).to_string(),
            name: "webhooks".to_owned(),
            problem: "must be tables: a line [[webhooks]] for each, and its entries below it"
                .into(),
            given: raw.show(),
        }
    }

    /// After all settings were taken: is there a key in the file that none of them has?
    pub(super) fn refuse_unknown_keys(&self) -> Result<(), SettingsError> {
        let known = |key: &str| self.origins.iter().any(|setting| setting.name == key);
        let Some((key, (line, _))) = self.file.iter().find(|(key, _)| !known(key)) else {
            return Ok(());
        };
        let nearest = self
            .origins
            .iter()
            // Comparing takes the product of both lengths, and no setting has so long a name.
            .filter(|_| key.len() <= LONGEST_KEY)
            .map(|setting| (strsim::jaro_winkler(setting.name, key), setting.name))
            .filter(|(likeness, _)| *likeness > 0.75)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, name)| name.to_owned());
        Err(SettingsError::UnknownKey {
            path: self.path.clone(),
            line: *line,
            key: shown(key),
            nearest,
        })
    }
}

fn parse(path: &Path, text: &str) -> Result<Entries, SettingsError> {
    let line_of = |offset: usize| {
        1 + text
            .as_bytes()
            .iter()
            .take(offset)
            .filter(|byte| **byte == b'\n')
            .count()
    };
    let table = DeTable::parse(text).map_err(|why| SettingsError::Syntax {
        path: path.to_owned(),
        line: why.span().map_or(1, |span| line_of(span.start)),
        why: why.message().replace('\n', ", "),
    })?;
    let mut entries = Entries::new();
    flatten("", table.get_ref(), &line_of, &mut entries);
    Ok(entries)
}

fn flatten(
    prefix: &str,
    table: &DeTable<'_>,
    line_of: &dyn Fn(usize) -> usize,
    into: &mut Entries,
) {
    for (key, value) in table {
        let name = format!("{prefix}{}", key.get_ref());
        let raw = match value.get_ref() {
            DeValue::String(text) => Raw::Text(text.to_string()),
            DeValue::Integer(number) => {
                match i64::from_str_radix(number.as_str(), number.radix()) {
                    Ok(number) => Raw::Int(number),
                    Err(_) => Raw::Other("a number too large"),
                }
            }
            DeValue::Float(number) => match number.as_str().parse() {
                Ok(number) => Raw::Float(number),
                Err(_) => Raw::Other("no number"),
            },
            DeValue::Boolean(_) => Raw::Other("true or false"),
            DeValue::Datetime(_) => Raw::Other("a date"),
            DeValue::Array(items) if items.iter().any(|item| item.get_ref().is_table()) => {
                for (number, item) in items.iter().enumerate() {
                    let name = format!("{name}.{number}");
                    let line = line_of(item.span().start);
                    into.insert(name.clone(), (line, Raw::Other("a table")));
                    if let DeValue::Table(inner) = item.get_ref() {
                        flatten(&format!("{name}."), inner, line_of, into);
                    }
                }
                continue;
            }
            DeValue::Array(items) => {
                let words = items.iter().map(|item| item.get_ref().as_str());
                let words: Option<Vec<String>> = words.map(|word| Some(word?.to_owned())).collect();
                words.map_or(Raw::Other("a list"), Raw::Words)
            }
            DeValue::Table(inner) => {
                flatten(&format!("{name}."), inner, line_of, into);
                continue;
            }
        };
        into.insert(name, (line_of(key.span().start), raw));
    }
}
