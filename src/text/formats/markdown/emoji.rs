//! Emoji written as their names: `:smile:`. It must never take a word between colons for one: a single word
//! has to be known, and only one with an underscore or a sign is known by its looks.

/// Common ones of a single word, between blanks.
const KNOWN: &str = " \
    airplane alien anchor angel angry apple art balloon bangbang bee beer beers bell bicyclist \
    bike bird birthday blush boat bomb book bookmark books boom bouquet bow bread broom bug bulb \
    cactus cake calendar camera candle candy car cat chart checkered cherries clap clipboard \
    cloud clown cocktail coffee computer confetti confounded confused construction cookie cool \
    cow crab crescent crown cry crying dancer dart dash disappointed dizzy dog dolphin door \
    dragon droplet ear egg email envelope exclamation expressionless eyes fire fireworks fish \
    fist flag flushed fox gear gem ghost gift globe goat grapes grimacing grin grinning guitar \
    hammer hamster hand handshake heart hearts herb hotel hourglass house hugs icecream innocent \
    jeans joy key kiss kissing knife koala laughing leaves lemon lion lips lock lollipop \
    loudspeaker mag mailbox maple medal mega memo microphone microscope moneybag monkey moon \
    mouse movie muscle mushroom musical mute nerd new newspaper night notebook notes ocean \
    octopus ok orange owl package page palm panda paperclip parrot partying pear pencil pencil2 \
    penguin pensive phone pig pill pizza point poop pray printer purse pushpin question rabbit \
    rage rainbow raised ram recycle relaxed relieved rice ring robot rocket rofl rose roses \
    sandwich santa satellite scissors scream seedling shark sheep shell ship shrug skull \
    sleeping sleepy smile smiley smirk snail snake snowflake snowman sob sparkle sparkler \
    sparkles sparkling speaker spider star star2 stars sun sunflower sunglasses sunny sunrise \
    sushi sweat tada tea telescope tent thinking thought thumbsdown thumbsup tiger tongue trophy \
    tulip turtle umbrella unamused unicorn unlock upside v warning watch watermelon wave weary \
    whale wilted wind wine wink wolf worried wrench yum zap zzz ";

/// Longest name, in bytes.
const LONGEST: usize = 40;

/// Whether there is one in a text.
pub(super) fn may_be_in(text: &str) -> bool {
    text.match_indices(':')
        .any(|(at, _)| shortcode(&text[at..]).is_some())
}

/// The length of the name that `text` begins with, colons included.
pub(super) fn shortcode(text: &str) -> Option<usize> {
    let rest = text.strip_prefix(':')?;
    let of_name =
        |b: &u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'_' | b'+' | b'-');
    let length = rest.bytes().take(LONGEST).take_while(of_name).count();
    let name = &rest[..length];
    if !rest[length..].starts_with(':') {
        return None;
    }
    let by_looks = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.contains('_')
        && !name.ends_with('_');
    let is_one = by_looks
        || matches!(name, "+1" | "-1" | "100")
        || (!name.is_empty() && KNOWN.contains(&format!(" {name} ")));
    is_one.then_some(length + 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_from_words() {
        for written in [":smile:", ":+1: yes", ":white_check_mark:", ":100:"] {
            assert!(shortcode(written).is_some(), "{written}");
        }
        for written in [
            ":author: Bell",
            ":: x",
            ":00:",
            ":Smile:",
            ": smile:",
            ":smile",
        ] {
            assert!(shortcode(written).is_none(), "{written}");
        }
    }
}
