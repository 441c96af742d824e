//! Tells the lines of a program from verse, menus and legends, where no tag and no class says which they
//! are. It must rather read a program than leave out a poem: what a poet, a cook or the writer of a letter
//! needs proves nothing, such as a semicolon at the end of a line, a price or an arrow.

mod line;

use line::{Sign, is_tied, sign};

/// Whether these lines are those of a program: they begin with a prompt, many are like no prose, or they
/// are full of the signs of programs.
pub(super) fn is_code(words: &str) -> bool {
    // A column of `}` alone binds lines together.
    let has_braces = words.contains('{') && words.contains('}');
    let (mut lines, mut sure, mut likely, mut named) = (0usize, 0usize, 0usize, 0usize);
    let mut written = words.lines().filter(|line| !line.trim().is_empty());
    let mut next = written.next();
    while let Some(whole) = next {
        next = written.next();
        let line = whole.trim();
        if lines == 0 && is_prompt(line) && !has_money(words) {
            return true;
        }
        let opens = next.is_some_and(|next| indent(next) > indent(whole));
        lines += 1;
        match sign(line, has_braces, opens) {
            Sign::Sure => sure += 1,
            Sign::Likely => likely += 1,
            Sign::Named => named += 1,
            Sign::Nothing => {}
        }
    }
    // Where all are names, one explains the other.
    if sure + likely > 0 {
        likely += named;
    }
    let few = lines < 4;
    (4 * sure >= lines && (sure > 1 || (few && sure > 0)))
        || (2 * (sure + likely) >= lines && sure + likely > 1)
        || is_dense(words, has_braces)
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// `$ ls`, `>>> f(x)`, `C:\> dir`.
fn is_prompt(line: &str) -> bool {
    if let Some(rest) = line.strip_prefix("$ ") {
        // "$ 5" is money.
        let rest = rest.trim_start();
        return rest.starts_with(|c: char| c.is_ascii_lowercase() || "./~_".contains(c));
    }
    if let Some(rest) = line.strip_prefix(">>> ") {
        // Words that are quoted three times begin so, too, and one may be all of an answer.
        let is_one = !rest.trim().contains(' ');
        let has_sign = rest.contains(|c: char| "(=_[{+*".contains(c) || c.is_ascii_digit());
        return (is_one && has_sign)
            || rest.starts_with("import ")
            || (rest.contains(['(', '=']) && is_tied(rest));
    }
    line.starts_with("C:\\")
}

/// Prices, or one sign of money below the other.
fn has_money(words: &str) -> bool {
    const SIGNS: &[&str] = &["$$", "€", "£", "¥", "¢"];
    let mut lines = words.lines().map(str::trim);
    let is_price = |(at, _): (usize, &str)| {
        let behind = words[at + 1..].trim_start_matches(' ');
        behind.starts_with(|c: char| c.is_ascii_digit())
    };
    lines.any(|line| SIGNS.iter().any(|sign| line.starts_with(sign)))
        || words.match_indices('$').any(is_price)
}

/// One sign of ten is one that programs have and books have not.
fn is_dense(words: &str, has_braces: bool) -> bool {
    let (mut signs, mut ends, mut all) = (0usize, 0usize, 0usize);
    for line in words.lines() {
        // The mark of what is quoted in a letter.
        let line = line.trim_start_matches(|c: char| c == '>' || c.is_whitespace());
        // The end of the last name that was left to be filled in.
        let mut filled = 0;
        let mut before = ' ';
        for (at, c) in line.char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let behind = &line[at + c.len_utf8()..];
            let is_inner = line[..at].ends_with(char::is_alphanumeric);
            if matches!(c, '<' | '{') && !is_inner {
                filled = at + blank(&line[at..]).unwrap_or_default();
            }
            let counts = match c {
                '{' | '}' => has_braces && at >= filled,
                '<' | '>' => at >= filled,
                '$' => behind.starts_with(|c: char| c.is_alphabetic() || "_{(".contains(c)),
                '\\' => behind.starts_with(char::is_alphanumeric),
                _ => false,
            };
            // Those before a sign alike only underline, or make words bold.
            signs += usize::from(counts && c != before);
            ends += usize::from(c == ';');
            all += 1;
            before = c;
        }
    }
    signs > 2 && (signs + ends) * 10 >= all
}

/// The length of `<your name>` or `{name}`, where a reader puts another word, but not that of a tag.
fn blank(text: &str) -> Option<usize> {
    const LONGEST: usize = 32;
    let close = match text.as_bytes().first()? {
        b'{' => '}',
        _ => '>',
    };
    let len = text.bytes().take(LONGEST).position(|b| b == close as u8)?;
    let inner = &text[1..len];
    let is_word = |c: char| c.is_alphanumeric() || " '’-".contains(c);
    let is_name = !inner.is_empty() && inner.trim() == inner && inner.chars().all(is_word);
    (is_name && !super::is_known_tag(text)).then_some(len + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_told_from_books() {
        let yes = [
            "let x = 1;",
            "$ cargo build\n   Compiling x\n",
            ">>> f(1)\n2",
            ">>> 2+2\n4",
            ">>> total_\n4",
            "for i in range(3):\n    print(i)\n",
            "int main() {\n  return 0;\n}\n",
            "if x:\n    return\nelse:\n    pass\n",
            "<p>One</p>\n<br>\n",
            "10 PRINT \"HELLO\"\n20 GOTO 10\n",
            "SELECT name FROM boats",
            "name = tide\nport = 80\n",
            "(define (f x)\n  (* x x))\n",
            "├── src\n└── tests\n",
            "while (n > 0)\n  n--;\n",
            "use std::fs;\nlet x = fs::read(path)?;\n",
            "if (done) return;\nx.next();\n",
            "echo $HOME $PATH ${x}\n",
        ];
        let no = [
            "amo = \"I love\"\namas = \"you love\"\namat = \"he loves\"",
            "The curfew tolls the knell of parting day;\nThe lowing herd winds slowly o'er the lea;",
            "THE HOUND OF THE BASKERVILLES\n\nby\n\nA. Conan Doyle\n\n(1902)",
            "$5 for a boat\n",
            "He took the lamp (the old one);\nand left.\n",
            "=Bold words=\n\n== More ==\n",
            "=====\n-----\n",
            "Price ........ 10\nTotal ........ 20\n",
            "for he had said, and it was so:\nif any man would know\n",
            "See page(s) 4\nand line(s)",
            "a = b, as Euclid says;\nand this was all that he had learned\nin all the years at school.",
            "",
            // Verse and plays.
            "if (he were here)\nwhile (she was young)\nfor (love is blind) ",
            "if (alas) he came;\nfor (so he said) he stayed;\n",
            "Come;\nGo;\nStay;\nRest;\n",
            "child(ren)\n",
            "with:\nelse:\n",
            "for shame:\nGo home.\n",
            "while (alone)\nif (ever)\nshe sang\nto him\n",
            "with a loud voice he cried:\n  Begone!\nelse none will know:\n",
            "(said the fox (quietly))\n(and left)",
            "Duke      }\nSenators  } of Venice\n          }\n",
            "Arma virumque cano || Troiae qui primus",
            "{Refrain}\nLa la\n{Verse}\n",
            // Menus and lists.
            "Soup $4\nTea $2\nPie $3\n",
            "Soup ... $ 4\nPie .... $ 12\n",
            "$ cheap\n$$ dear\n",
            "$ each, of 6:\n$ 12\n",
            "[] Milk\n[] Rope\n",
            "flour -> bowl\nbowl => oven\n",
            "SELECT ONE SAUCE\nPesto",
            // Legends.
            "A = anchor\nB = buoy\n",
            "adj = adjective\nvb = verb\n",
            "x = 3 of them\ny = 4 of these;\n",
            "@ at\n^ caret\n& and\n\\ so\n",
            "┌─────┬───┐\n│ Tea │ 3 │\n├─────┼───┤\n│ Oil │ 4 │\n└─────┴───┘\n",
            // Letters.
            "a@b.org\nc@d.org\n",
            "Dear <your name>,\n<your boat> is at <place>.\n",
            "> yes\n> no\n>> so\n",
            ">>> He said that (so far) it rained.\nAnd so?",
            ">>> Yes.\n>> No?\n> Maybe.",
            "x^2 + y^2^ is r^2, &c;\n",
        ];
        for words in yes {
            assert!(is_code(words), "{words}");
        }
        for words in no {
            assert!(!is_code(words), "{words}");
        }
    }
}
