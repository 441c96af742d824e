//! Addresses of pages and of people, and names of files: "example dot org", "k at example dot org",
//! "notes dot t x t". Of a page's address only the host is said, unless it is wanted whole.

use super::cardinal::{cardinal, digits};
use super::{OmissionReason, Read, Reader, spelled};
use crate::text::reading::{Addresses, Urls};

/// Last parts of names that are said as a word.
const AS_WORDS: &[&str] = &[
    "com", "org", "net", "gov", "mil", "info", "edu", "biz", "app", "dev", "blog", "shop", "news",
    "co", "museum", "name", "zip", "bat", "bin", "log", "mobi", "doc", "docs", "tar", "wav", "gif",
    "exe", "me", "web", "online", "site", "store", "cloud", "art", "page", "link", "live", "world",
    "tech", "text", "data", "backup", "conf", "config", "css", "local", "lock", "temp", "tmp",
];

/// Last parts that are said by their letters.
const AS_LETTERS: &[&str] = &[
    "ac", "aac", "ai", "at", "au", "avi", "be", "bmp", "br", "ca", "cc", "cfg", "ch", "cn", "cpp",
    "cs", "csv", "cz", "de", "dk", "dll", "docx", "epub", "es", "eu", "fi", "flac", "fm", "fr",
    "gg", "go", "gz", "h", "htm", "html", "ie", "in", "ini", "int", "io", "iso", "it", "java",
    "jp", "jpeg", "jpg", "js", "json", "jsx", "kr", "ly", "md", "mkv", "mov", "mp", "nl", "no",
    "nz", "ods", "odt", "ogg", "onnx", "pdf", "php", "pl", "png", "ppt", "pptx", "psd", "pt", "py",
    "rar", "rb", "rs", "rtf", "ru", "se", "sh", "sql", "srt", "svg", "to", "toml", "ts", "tsv",
    "tsx", "tv", "txt", "uk", "us", "webp", "wma", "xls", "xlsx", "xml", "yaml", "yml", "za",
];

/// Extensions that are said in a way of their own.
const NAMED: &[(&str, &str)] = &[
    ("json", "jason"),
    ("jpeg", "jay peg"),
    ("java", "java"),
    ("toml", "tom l"),
    ("yaml", "yammel"),
    ("flac", "flack"),
    ("epub", "e pub"),
    ("webp", "web p"),
];

/// The longest address, in bytes.
const LONGEST: usize = 2048;

impl Reader<'_> {
    /// An address, or the name of a file.
    pub(super) fn address(&self, at: usize) -> Option<Read> {
        // An address is one stretch without blanks, and its first word begins it.
        if self.touches(at)
            && !self.sign_at(at - 1).is_some_and(|sign| {
                super::is_opening(sign) || matches!(sign, '<' | '—' | '–' | '/' | ',')
            })
        {
            return None;
        }
        if !matches!(
            self.kind(at + 1),
            Some(super::Kind::Sign(_) | super::Kind::Digits)
        ) {
            return None;
        }
        let start = self.tokens[at].span.start;
        let rest = &self.text[start..self.text.floor_char_boundary(start + LONGEST)];
        let len = rest
            .find(|c: char| {
                c.is_whitespace()
                    || matches!(
                        c,
                        '<' | '>'
                            | '"'
                            | '“'
                            | '”'
                            | '’'
                            | '\''
                            | '»'
                            | '—'
                            | ')'
                            | ']'
                            | '}'
                            | '…'
                    )
            })
            .unwrap_or(rest.len());
        let chunk = rest[..len].trim_end_matches(['.', ',', ';', ':', '!', '?', '\'', '*', '_']);
        if len == rest.len() && rest.len() >= LONGEST - 4 || !chunk.contains(['.', '@', ':']) {
            return None;
        }
        let mut read = self
            .page(at, chunk)
            .or_else(|| self.mail(at, chunk))
            .or_else(|| self.file(at, chunk))?;
        // "Example.com's": what makes something another's is a part of the last word.
        let end = self.tokens[read.next - 1].span.end;
        if !read.said.is_empty() {
            read.said.push_str(&self.text[start + chunk.len()..end]);
        }
        Some(read)
    }

    /// The first piece behind so many bytes from the beginning of another.
    fn past(&self, at: usize, len: usize) -> usize {
        let end = self.tokens[at].span.start + len;
        at + self.tokens[at..].partition_point(|token| token.span.start < end)
    }

    fn page(&self, at: usize, chunk: &str) -> Option<Read> {
        let lower = chunk.to_ascii_lowercase();
        let scheme = ["https://", "http://", "ftp://"]
            .into_iter()
            .find(|scheme| lower.starts_with(scheme));
        let has_host = scheme.is_some() || (lower.starts_with("www.") && lower.len() > 6);
        let bare = &chunk[scheme.map_or(0, str::len)..];
        let host_len = bare.find(['/', '?', '#']).unwrap_or(bare.len());
        let (host, path) = bare.split_at(host_len);
        let host = host.rsplit('@').next().unwrap_or(host);
        if !has_host && (path.is_empty() || !is_domain(host)) {
            return None;
        }
        if !host.contains(char::is_alphanumeric) {
            return None;
        }
        let next = self.past(at, chunk.len());
        let mut read = Read::new(next, String::new());
        match self.taste.urls {
            Urls::Silent => read.left_out = Some(OmissionReason::Link),
            Urls::Host => {
                read.said = self.parts(host);
                if path.len() > 1 {
                    read.left_out = Some(OmissionReason::Link);
                }
            }
            Urls::Whole => read.said = self.parts(bare),
        }
        Some(read)
    }

    fn mail(&self, at: usize, chunk: &str) -> Option<Read> {
        let (name, host) = chunk.split_once('@')?;
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_alphanumeric() || "._+-%".contains(c));
        if !is_name || !is_domain(host) {
            return None;
        }
        let next = self.past(at, chunk.len());
        if self.taste.addresses == Addresses::Silent {
            let mut read = Read::new(next, String::new());
            read.left_out = Some(OmissionReason::Link);
            return Some(read);
        }
        let said = format!("{} at {}", self.parts(name), self.parts(host));
        Some(Read::new(next, said))
    }

    /// "notes.txt", "example.org", "Node.js".
    fn file(&self, at: usize, chunk: &str) -> Option<Read> {
        let is_name = chunk
            .chars()
            .all(|c| c.is_alphanumeric() || "._-".contains(c));
        let (stem, last) = chunk.rsplit_once('.')?;
        let bare = last.trim_end_matches(|c: char| c.is_ascii_digit());
        let known = AS_WORDS.contains(&last) || AS_LETTERS.contains(&bare);
        // "e.g.", "p.m" and "U.S.A" are no names; nor is "end.The".
        let first = stem.rsplit('.').next().unwrap_or(stem);
        let is_word = first.chars().count() > 1 || stem.chars().count() > 1 && stem.contains('-');
        if !is_name || !known || !is_word || stem.starts_with('.') {
            return None;
        }
        // A sentence that was glued to the next: "in.It", "go.To".
        Some(Read::new(self.past(at, chunk.len()), self.parts(chunk)))
    }

    /// The parts of a name, with its signs in words.
    fn parts(&self, name: &str) -> String {
        let mut said: Vec<String> = Vec::new();
        let mut word = String::new();
        let mut kind = None;
        let last = name.rfind('.').map_or(0, |at| at + 1);
        let flush = |word: &mut String, is_last: bool, said: &mut Vec<String>| {
            if !word.is_empty() {
                said.push(self.part(word, is_last));
                word.clear();
            }
        };
        for (at, c) in name.char_indices() {
            let sign = match c {
                '.' => "dot",
                '/' => "slash",
                '@' => "at",
                '_' => "underscore",
                '-' => "dash",
                ':' => "colon",
                '?' => "question mark",
                '=' => "equals",
                '&' => "and",
                '#' => "hash",
                '%' => "percent",
                '+' => "plus",
                '~' => "tilde",
                _ => "",
            };
            let is_last = last > 0 && at > last;
            if sign.is_empty() {
                let now = c.is_ascii_digit();
                if kind.is_some_and(|kind| kind != now) {
                    flush(&mut word, is_last, &mut said);
                }
                kind = Some(now);
                word.push(c);
            } else {
                flush(&mut word, is_last && at > last, &mut said);
                kind = None;
                said.push(sign.to_owned());
            }
        }
        flush(&mut word, last > 0, &mut said);
        said.join(" ")
    }

    fn part(&self, part: &str, is_last: bool) -> String {
        if part.bytes().all(|b| b.is_ascii_digit()) {
            return match part.parse::<u64>() {
                Ok(number) if part.len() < 5 && !part.starts_with('0') => {
                    cardinal(number, self.british)
                }
                _ => digits(part),
            };
        }
        let lower = part.to_lowercase();
        if let Some((_, said)) = NAMED.iter().find(|(name, _)| *name == lower && is_last) {
            return (*said).to_owned();
        }
        let has_vowel = lower.contains(['a', 'e', 'i', 'o', 'u', 'y']);
        let letters = (is_last && AS_LETTERS.contains(&lower.as_str()))
            || (!has_vowel && lower.len() < 5)
            || lower == "www";
        match letters {
            true => spelled(&lower),
            false => part.to_owned(),
        }
    }
}

/// A host's name: parts with full stops between them, the last one known or of two letters.
fn is_domain(host: &str) -> bool {
    let is_name = host
        .chars()
        .all(|c| c.is_alphanumeric() || ".-".contains(c));
    let last = host.rsplit_once('.').map(|(_, last)| last.to_lowercase());
    is_name
        && last.is_some_and(|last| {
            AS_WORDS.contains(&last.as_str())
                || (last.len() == 2 && last.bytes().all(|b| b.is_ascii_lowercase()))
                || AS_LETTERS.contains(&last.as_str())
        })
}
