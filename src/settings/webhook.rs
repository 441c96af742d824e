//! One `[[webhooks]]` of `config.toml`: who is told of changes, of which ones, and what the requests are
//! signed with. That key is never shown.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::SettingsError;
use super::error::shown;
use super::sources::{Entries, Origin};
use super::value::{Raw, Setting};
use crate::model::StateChange;

/// What a key begins with where people see it.
const PREFIX: &str = "whsec_";
/// How long a key may be, in bytes.
const KEY_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// The longest address.
const LONGEST_URL: usize = 2048;
/// The most bytes of a file that are read for a key.
const LONGEST_FILE: u64 = 4096;
/// How a key is made.
const MAKE_ONE: &str =
    "`printf 'whsec_%s\\n' \"$(head -c 24 /dev/urandom | base64)\" > FILE` makes one";
/// What may stand in such a table.
const KEYS: [&str; 5] = ["name", "url", "secret", "secret_file", "on"];

/// Who is told of changes of tasks, and how.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Webhook {
    /// What it is called: what is owed to it follows the name, also to another address. The address
    /// unless something else is given.
    pub name: String,
    /// Where the requests go: `https://…`, or `http://…`.
    pub url: String,
    /// What they are signed with.
    pub key: SigningKey,
    /// What is told; the ends of tasks unless something else is given.
    pub on: Vec<StateChange>,
}

/// What requests are signed with: never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey(Vec<u8>);

impl SigningKey {
    /// The key in a text as people hand it on: `whsec_` and 24 to 64 bytes in Base64.
    ///
    /// ```
    /// use aloud::settings::SigningKey;
    ///
    /// let key = SigningKey::parse("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
    /// assert_eq!(key.bytes().len(), 24);
    /// assert!(SigningKey::parse("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").is_none());
    /// ```
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text.trim().strip_prefix(PREFIX)?).ok()?;
        KEY_BYTES.contains(&bytes.len()).then_some(Self(bytes))
    }

    /// What it is; for whoever signs.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SigningKey")
    }
}

impl Webhook {
    /// Its address without what follows a `?`, which may be meant for nobody else.
    #[must_use]
    pub fn address(&self) -> &str {
        self.url.split('?').next().unwrap_or_default()
    }

    /// What can be shown of it.
    pub(super) fn show(&self) -> String {
        let on: Vec<_> = self.on.iter().map(|change| change.word()).collect();
        let (address, on) = (self.address(), on.join(" "));
        match self.name == self.url {
            true => format!("{address} (on {on})"),
            false => format!("{} at {address} (on {on})", self.name),
        }
    }
}

/// Reads one table, which begins at this line.
pub(super) fn read(file: &Path, line: usize, entries: &Entries) -> Result<Webhook, SettingsError> {
    let table = Table {
        file,
        line,
        entries,
    };
    table.refuse_unknown_keys()?;
    let Some(url) = table.text("url")? else {
        return Err(table.bad("url", "must be there: where requests go", "missing"));
    };
    if let Some(problem) = wrong_url(&url) {
        // It may hold a password.
        return Err(table.bad("url", problem, "not shown"));
    }
    let name = match table.text("name")? {
        Some(name) if name.trim().is_empty() => {
            return Err(table.bad("name", "must not be empty", "\"\""));
        }
        Some(name) => name,
        None => url.clone(),
    };
    Ok(Webhook {
        key: table.key()?,
        on: table.changes()?,
        name,
        url,
    })
}

pub(super) fn bad(
    file: &Path,
    line: usize,
    key: &str,
    problem: &str,
    given: String,
) -> SettingsError {
    SettingsError::BadValue {
        place: Origin::File(file.to_owned(), line).to_string(),
        name: format!("webhooks.{key}"),
        problem: problem.to_owned(),
        given,
    }
}

struct Table<'a> {
    file: &'a Path,
    line: usize,
    entries: &'a Entries,
}

impl Table<'_> {
    fn bad(&self, key: &str, problem: &str, given: &str) -> SettingsError {
        let line = self.entries.get(key).map_or(self.line, |(line, _)| *line);
        bad(self.file, line, key, problem, given.to_owned())
    }

    fn refuse_unknown_keys(&self) -> Result<(), SettingsError> {
        let mut keys = self.entries.iter();
        let unknown = keys.find(|(key, _)| !key.is_empty() && !KEYS.contains(&&***key));
        let Some((key, (line, _))) = unknown else {
            return Ok(());
        };
        let nearest = KEYS.iter().filter(|_| key.len() <= 64);
        let nearest = nearest.map(|known| (strsim::jaro_winkler(known, key), known));
        let nearest = nearest.filter(|(likeness, _)| *likeness > 0.75);
        Err(SettingsError::UnknownKey {
            path: self.file.to_owned(),
            line: *line,
            key: format!("webhooks.{}", shown(key)),
            nearest: nearest
                .max_by(|a, b| a.0.total_cmp(&b.0))
                .map(|(_, known)| format!("webhooks.{known}")),
        })
    }

    fn text(&self, key: &str) -> Result<Option<String>, SettingsError> {
        match self.entries.get(key) {
            None => Ok(None),
            Some((_, Raw::Text(text))) => Ok(Some(text.clone())),
            Some((_, raw)) => Err(self.bad(key, String::WANTS, &raw.show())),
        }
    }

    /// The key, or the file that it is in: a file of settings is shown to others more easily.
    fn key(&self) -> Result<SigningKey, SettingsError> {
        let wants = format!("must be whsec_ and 24 to 64 bytes in Base64; {MAKE_ONE}");
        let file = match (self.text("secret")?, self.text("secret_file")?) {
            (Some(text), None) => {
                let key = SigningKey::parse(&text);
                return key.ok_or_else(|| self.bad("secret", &wants, "not shown"));
            }
            (None, Some(file)) => file,
            (None, None) => {
                let problem =
                    format!("must be there, or `secret`: requests are signed; {MAKE_ONE}");
                return Err(self.bad("secret_file", &problem, "missing"));
            }
            (Some(_), Some(_)) => {
                let problem = "must not be there beside `secret`: one of them counts";
                return Err(self.bad("secret_file", problem, "both are given"));
            }
        };
        let base = self.file.parent().unwrap_or(Path::new(""));
        let path = PathBuf::from_raw(&Raw::Text(file.clone()), base).unwrap_or_default();
        let at = shown(&path.display().to_string());
        let text = read_file(&path).map_err(|why| {
            let problem = format!("must be a file that can be read ({why}); {MAKE_ONE}");
            self.bad("secret_file", &problem, &at)
        })?;
        let wants = format!("must be a file with one line, which {wants}");
        SigningKey::parse(&text).ok_or_else(|| self.bad("secret_file", &wants, &at))
    }

    fn changes(&self) -> Result<Vec<StateChange>, SettingsError> {
        let words = match self.entries.get("on") {
            None => return Ok(StateChange::ENDS.to_vec()),
            Some((_, Raw::Words(words))) => words.clone(),
            Some((_, Raw::Text(text))) => Vec::from_text(text).unwrap_or_default(),
            Some((_, raw)) => return Err(self.bad("on", "must be a list", &raw.show())),
        };
        let known = StateChange::ALL.map(StateChange::word).join(", ");
        let problem = format!("must be some of {known}");
        if words.is_empty() {
            return Err(self.bad("on", &problem, "empty"));
        }
        let mut on = Vec::new();
        for word in words {
            let change = StateChange::from_word(&word)
                .ok_or_else(|| self.bad("on", &problem, &format!("{:?}", shown(&word))))?;
            if !on.contains(&change) {
                on.push(change);
            }
        }
        Ok(on)
    }
}

fn read_file(path: &Path) -> std::io::Result<String> {
    use std::io::Read;
    // Opening a pipe waits, and reading a device may never end.
    if !std::fs::metadata(path)?.is_file() {
        return Err(std::io::Error::other("it is no file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?
        .take(LONGEST_FILE)
        .read_to_string(&mut text)?;
    Ok(text)
}

/// What is wrong with an address, in words.
fn wrong_url(url: &str) -> Option<&'static str> {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    let Some(rest) = rest else {
        return Some("must begin with https:// or http://");
    };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    if authority.contains('@') {
        return Some("must have no name and password in it: requests are known by their signature");
    }
    if authority.is_empty() || authority.starts_with(':') {
        return Some("must name a host");
    }
    // The colons within the brackets of an IPv6 address are none before a port.
    let after_host = authority.rsplit(']').next().unwrap_or_default();
    if let Some((_, port)) = after_host.split_once(':')
        && port.parse::<u16>().map_or(true, |port| port == 0)
    {
        return Some("must have a port of 1 to 65535, if it has one");
    }
    if url.contains('#') {
        return Some("must have no part after a #: that is never sent");
    }
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte);
    if !url.bytes().all(is_plain) {
        return Some("must be written with plain characters, others percent-encoded");
    }
    (url.len() > LONGEST_URL).then_some("must be shorter than 2 KiB")
}
