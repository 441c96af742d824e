//! What a full stop behind an abbreviation means: "Dr. Ruiz", "vol. XII" and "U.S. Navy" go on, "in
//! the U.S. She left." ends. It looks only at the words on both sides, a bounded way, and must say
//! nothing about a word that it does not know.

/// What a full stop and the blank behind it are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// The end of a sentence, behind an abbreviation that may stand last.
    End,
    /// Inside of a sentence.
    Inside,
    /// Inside of a name or a number, which nothing should part: "Dr. Ruiz", "No. 5".
    Bound,
}

/// Longest abbreviation, in bytes.
const LONGEST: usize = 12;

/// How far a look ahead goes, in bytes.
const NEAR: usize = 48;

/// What the full stop that `before` ends with is, `after` being what follows. Nothing if the word
/// before it is no known abbreviation.
pub(super) fn stop(before: &str, after: &str) -> Option<Stop> {
    let word = last_word(before.strip_suffix('.')?)?;
    let after = after.trim_start();
    let after = &after[..after.floor_char_boundary(NEAR)];
    let next = Next::new(after);
    let lower = word.to_lowercase();
    let lower = lower.as_str();
    let has_capital = word.starts_with(char::is_uppercase);
    let in_list = |list: &str| has(list, lower);
    if in_list(ALWAYS_GO_ON) || (!has_capital && in_list(GO_ON)) {
        return Some(Stop::Bound);
    }
    if has_capital && in_list(TITLES) && next.is_capital && !next.opens() {
        return Some(Stop::Bound);
    }
    if in_list(NUMBERED) && next.is_number(in_list(ONLY_NUMBERED)) {
        return Some(Stop::Bound);
    }
    if (word == "Me" || (!has_capital && in_list(WORDS))) && next.is_capital {
        return Some(Stop::End);
    }
    if has_capital && in_list(MONTHS) && next.is_digit {
        return Some(Stop::Bound);
    }
    if in_list(TIMES) {
        let ends = next.is_capital && !next.is_date();
        return Some(if ends { Stop::End } else { Stop::Inside });
    }
    if lower == "etc" {
        return Some(if next.is_capital {
            Stop::End
        } else {
            Stop::Inside
        });
    }
    let is_initials = word.split('.').all(|part| {
        let mut letters = part.chars();
        letters.next().is_some_and(char::is_uppercase) && letters.next().is_none()
    });
    if is_initials || is_dotted(word) || in_list(ENDERS) || (has_capital && in_list(CAPITAL_ENDERS))
    {
        return Some(match () {
            () if next.opens() => Stop::End,
            () if is_initials && next.is_capital && word != "I" => Stop::Bound,
            () if word == "I" && next.is_capital && !next.is_initial() => return None,
            () => Stop::Inside,
        });
    }
    None
}

/// True for a word that `stop` knows, whatever follows it.
pub(crate) fn is_abbreviation(word: &str) -> bool {
    let lower = word.to_lowercase();
    let lists = [ALWAYS_GO_ON, GO_ON, TITLES, TIMES, ENDERS];
    let has_capital = word.starts_with(char::is_uppercase);
    lower == "etc"
        || is_dotted(word)
        || lists.iter().any(|list| has(list, &lower))
        || (has_capital && has(CAPITAL_ENDERS, &lower))
        || has(ONLY_NUMBERED, &lower)
}

/// True if `word` is one of a list, which blanks part.
pub(super) fn has(list: &str, word: &str) -> bool {
    list.split_ascii_whitespace().any(|known| known == word)
}

/// The word that `text` ends with, with the full stops in it.
fn last_word(text: &str) -> Option<&str> {
    let near = &text[text.ceil_char_boundary(text.len().saturating_sub(LONGEST + 4))..];
    let start = near
        .char_indices()
        .rev()
        .find(|&(_, c)| !(c.is_alphabetic() || c == '.'))
        .map_or(0, |(at, c)| at + c.len_utf8());
    let word = &near[start..];
    let is_known_length = (1..=LONGEST).contains(&word.len());
    let joins = near[..start].ends_with(|c: char| c.is_numeric() || c == '\'' || c == '’');
    (is_known_length && !joins && !word.starts_with('.')).then_some(word)
}

/// "Ph.D", "e.g", "Lt.Col": letters with full stops between them.
fn is_dotted(word: &str) -> bool {
    let mut parts = word.split('.');
    let short = |part: &str| (1..=2).contains(&part.chars().count());
    word.contains('.') && parts.all(short)
}

/// What follows a full stop.
struct Next<'a> {
    /// Its first word, without opening marks.
    word: &'a str,
    /// What is behind that.
    rest: &'a str,
    is_capital: bool,
    is_digit: bool,
}

impl<'a> Next<'a> {
    fn new(after: &'a str) -> Self {
        const OPENING: &[char] = &[
            '“', '"', '«', '„', '‘', '‹', '(', '[', '\'', '¿', '¡', '*', '_',
        ];
        let after = after.trim_start_matches(OPENING);
        let len = after
            .find(|c: char| !c.is_alphanumeric())
            .unwrap_or(after.len());
        let (word, rest) = after.split_at(len);
        let is_capital = word.starts_with(char::is_uppercase);
        Self {
            word,
            rest,
            is_capital,
            is_digit: word.starts_with(char::is_numeric),
        }
    }

    /// True for a word that begins a sentence, most likely; "I." and "A." are initials.
    fn opens(&self) -> bool {
        self.is_capital && !self.is_initial() && has(OPENERS, &self.word.to_lowercase())
    }

    fn is_initial(&self) -> bool {
        self.word.chars().nth(1).is_none() && self.rest.starts_with('.')
    }

    /// True for "5", "XII", "B"; for "I" and "A" only if no sentence seems to begin with them, or
    /// nothing but a number can follow (`only`).
    fn is_number(&self, only: bool) -> bool {
        let is_roman = |word: &str| word.bytes().all(|b| b"IVXLCDM".contains(&b));
        match self.word {
            _ if self.is_digit => true,
            "" => self.rest.starts_with(['#', '§']),
            "I" | "A" => only || !self.rest.starts_with([' ', '\'', '’']),
            word if word.len() == 1 => self.is_capital,
            word => is_roman(word) && self.is_capital && (only || word.len() < 7),
        }
    }

    fn is_date(&self) -> bool {
        const DAYS: &str = "monday tuesday wednesday thursday friday saturday sunday january february march \
            april may june july august september october november december eastern central \
            pacific mountain greenwich";
        let lower = self.word.to_lowercase();
        let is_zone = (3..=4).contains(&self.word.len())
            && self.word.bytes().all(|b| b.is_ascii_uppercase())
            && self.word.ends_with(['T', 'C']);
        is_zone || has(DAYS, &lower)
    }
}

/// Never the last word of a sentence.
const ALWAYS_GO_ON: &str = "mr mrs ms mx messrs mme mlle dr drs prof vs e.g i.e eg viz cf";

/// The same where they are written in lower case: "ed. Smith", "Roe v. Wade".
const GO_ON: &str = "v ed eds trans transl approx incl ca";

/// With a capital before a name.
const TITLES: &str = "rev revd hon gen col maj capt cpt lt sgt cpl pvt pte pfc adm cmdr comdr cdr brig gov sen rep \
    reps sens pres amb supt insp det st sts ste mt mts ft fr msgr ven sec wm chas geo jas thos \
    pt lieut sergt atty asst assoc dep lt.col maj.gen lt.gen brig.gen sra srta \
    serg serjt ens treas bro bp abp rt robt benj saml danl edw fredk jno mdlle mdme mmes mons profs revs gens";

/// Before a number, a numeral or a letter.
const NUMBERED: &str = "no nos nr vol vols fig figs p pp ch chs chap chaps sec secs sect art arts v vv op bd approx \
    ca c par para paras pt pts ed rev ver ext apt rm tel line ll eq eqs app apps bk bks est b d \
    fl r ex n nn col cols hwy rte ste bldg sc max min fol lib cap tab pl sched cl reg mk matt cor tim rom prov isa exod deut eph heb lat";

/// Those of them that are no words and stand before nothing else: "vol. I" is a number.
const ONLY_NUMBERED: &str =
    "vol vols ch chs chap chaps bk bks pp nos figs secs apps app pt pts fol";

/// Words that look like abbreviations of names of places, and are words nearly always: "for me. Tom".
const WORDS: &str = "me in ill ore wash con cons art no may miss mass mar ark pa arc ad fig dec jan sun sat men \
    ed gen rep app line sec par max cap tab id mo la ma re is or ok oct ex";

const MONTHS: &str = "jan feb mar apr jun jul aug sep sept oct nov dec";

const TIMES: &str = "a.m p.m am pm";

/// May end a sentence, and more often do not.
const ENDERS: &str = "inc corp ltd llc bros jr sr esq ave blvd rd dept univ assn al ibid bldg hwy govt intl natl \
    oz lb lbs ft hrs yrs mt st approx est vol vols ch chap pp dist rep gen capt sgt lt gov co \
    ph.d d.phil";

/// The same with a capital: a month, or what is a word in lower case.
const CAPITAL_ENDERS: &str = "jan feb apr jun jul aug sept oct nov dec ln sq ct pl rev hon col maj adm fr pres mass conn \
    calif penn tex wash";

/// What many sentences begin with and few names. "May" and "Will" are names, too.
const OPENERS: &str = "the a an this that these those he she it they we you i his her its their our my your there \
    here then now when where why how what who whose which while if but and or so yet for nor \
    because although though after before as at in on by from to with without under over not no \
    yes some many most all both each every everyone everybody everything nobody nothing somebody \
    someone something one two three another such once soon later suddenly perhaps maybe however \
    still even only also let did do does don is are was were would could can should might has \
    have had until since upon during between despite instead meanwhile finally afterwards \
    therefore thus never always often sometimes today tomorrow yesterday please well oh ah \
    people nearly almost few several other others neither either about next last first inside \
    outside behind";

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<Stop> {
        let (before, after) = text.split_once(" | ").unwrap();
        stop(before, after)
    }

    #[test]
    fn a_name_or_a_number_is_not_parted() {
        for text in [
            "near Mt. | Elgin",
            "our Sgt. | Malone",
            "at St. | Ives",
            "see vol. | IX",
            "in ch. | 7",
            "App. | C",
            "No. | 12",
            "A. | B. Carter",
            "the U.K. | Parliament",
            "ed. | Brown",
            "Poe v. | Hart",
            "on Feb. | 9",
            "Mrs. | He",
            "fig. | A)",
            "vol. | I is",
        ] {
            assert_eq!(at(text), Some(Stop::Bound), "{text}");
        }
    }

    #[test]
    fn some_abbreviations_end_a_sentence_before_a_likely_beginning() {
        for text in [
            "in the U.K. | It",
            "at 9 a.m. | Mary",
            "rope, etc. | Later",
            "Hale Inc. | They",
            "down Elm St. | “The",
            "plan B. | Then",
            "until Dec. | We",
        ] {
            assert_eq!(at(text), Some(Stop::End), "{text}");
        }
        for text in [
            "Hale Inc. | said",
            "9 a.m. | Monday",
            "8 p.m. | EST",
            "an M.D. | by",
            "Elm St. | near",
        ] {
            assert_eq!(at(text), Some(Stop::Inside), "{text}");
        }
        for text in ["No. | That", "He slept. | Then", "so am I. | Tom"] {
            assert_eq!(at(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_read_in_full_is_not_cut_from_what_it_wants() {
        for (short, wants) in crate::text::reading::short_forms() {
            let before = format!("saw {short}.");
            let ends = stop(&before, &format!(" {wants} came"));
            assert_eq!(ends, Some(Stop::Bound), "{before} {wants}");
        }
    }
}
