//! Which words keep the hyphen that stands between them, where a text itself does not tell. The lists
//! are English and short on purpose: a compound that is joined ("seacaptain") is still understood, so
//! they hold what is common, and must not hold what is a common word when joined.

use super::super::abbreviations::has;
use super::super::numerals::is_number_word;

/// True if a hyphen between `first` and `second`, both in lower case, belongs to the word.
pub(super) fn keeps_hyphen(first: &str, second: &str) -> bool {
    if is_ending(second) {
        return false;
    }
    let listed = |list: &str| has(list, second);
    let begins = |list: &str| list.split(' ').any(|start| second.starts_with(start));
    match first {
        "self" => !listed("same"),
        "well" => !listed("spring springs head being come"),
        "half" => !listed("way penny"),
        "quarter" => !listed("back backs deck master"),
        "cross" => !listed("roads road word words bow bows over bar"),
        "vice" => !listed("roy roys regal"),
        "ever" => !listed("green greens more glade glades ton"),
        "non" => !begins(NOT_NON),
        "sea" => !begins(NOT_SEA),
        "ex" => has(EX, second.trim_end_matches('s')),
        "all" => listed(ALL),
        "ill" => second.ends_with("ed") && second.len() > 4 || listed(ILL),
        "far" => listed("off reaching away flung fetched sighted seeing"),
        "ten" => has(COUNTED, second.trim_end_matches('s')),
        "quasi" => true,
        "first" => !listed("born hand"),
        "second" => !listed("hand"),
        "so" => listed("called so"),
        "off" => listed("duty white key hand season"),
        "drawing" | "dining" | "sitting" | "dressing" => listed("room rooms"),
        "long" => listed("lost term time standing lived range"),
        _ if is_number(first) => !listed("score square self rous"),
        _ => has(SECONDS, second) && first.len() > 2 && !has(PREFIXES, first),
    }
}

/// Words inside a compound: in "mother-in-law" the hyphen behind "in" stays.
pub(super) fn is_link(word: &str) -> bool {
    const LINKS: &str =
        "in of to the and at on by up a an de la le du o for go me may or no off out";
    has(LINKS, word)
}

/// True if `second` may stand between the halves of "pre- and post-war", and is no end of "into".
pub(super) fn is_conjunction(first: &str, second: &str) -> bool {
    const TO: &str = "in on un pota toma here there where";
    match second {
        "to" => !has(TO, first),
        _ => matches!(second, "and" | "or" | "nor" | "und" | "oder" | "et"),
    }
}

/// A number word up to "ninety", "hundred", "third".
pub(super) fn is_number(word: &str) -> bool {
    is_number_word(word) || has("hundred thousand third fourth fifth", word)
}

/// An end of a word that is no word of its own.
fn is_ending(second: &str) -> bool {
    const ENDINGS: &str = "ness nesses ly er ers est ed ing ings ment ments ful fully less lessly ity ties tieth \
        tion tions sion ty teen teens teenth th ths ish ishly ism ist y ies en es s al ally ous \
        able ible ance ence ary arily ory ure ward wards hood ship dom some fold pence selves \
        eth ieth een eenth sies";
    has(ENDINGS, second)
}

/// "nonsense", "nonchalant", …
const NOT_NON: &str = "sens chal ethel entit pluss agon pareil descript";

/// "season", "seal", "seaman", "seat", …
const NOT_SEA: &str = "son l man men side shore weed port plane food far gull horse shell scape sick t r m ward \
    board bird bed front";

const EX: &str = "wife wive husband boyfriend girlfriend president minister soldier convict con lover king \
    queen mayor champion partner chief officer policeman sailor servant member student teacher \
    boss cop marine governor senator captain keeper colleague priest pat";

const ALL: &str = "powerful knowing seeing important round around night day embracing encompassing consuming \
    conquering out star time inclusive too american new or";

const ILL: &str = "at bred will health gotten treat use fitting starred luck";

/// What is counted behind a number that also begins other words ("ten-\nder").
const COUNTED: &str = "year day minute hour foot feet inch mile pound dollar week month man gallon page point ton \
    second yard acre sided pin metre meter speed story storey";

/// The ends of "one-sided", "blue-eyed", "good-looking".
const SECONDS: &str = "eyed haired handed hearted minded blooded footed headed sided shouldered witted tempered \
    mannered fashioned looking sighted nosed lipped mouthed skinned bearded faced winded natured \
    legged known lying standing based lost called wide minded";

/// What no compound begins with: "behead", "resided", "understanding".
const PREFIXES: &str = "dis pre sur mis out over under fore sub pro with up inter trans multi notwith ab hot left \
    right resur unfore";
