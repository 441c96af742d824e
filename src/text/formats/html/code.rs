//! Tells the lines of a program from verse and prose, where no tag and no class says which they are. It
//! must rather read a program than leave out a poem: a semicolon at the end of a line proves nothing.

/// Whether these lines are those of a program: they begin with a prompt, every fourth is like no prose, or
/// they are full of the signs of programs.
pub(super) fn is_code(words: &str) -> bool {
    let (mut lines, mut sure, mut likely) = (0usize, 0usize, 0usize);
    for line in words.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if lines == 0 && is_prompt(line) {
            return true;
        }
        lines += 1;
        if is_statement(line) {
            sure += 1;
        } else if is_setting(line) {
            likely += 1;
        }
    }
    let by_lines = 4 * sure >= lines || 2 * (sure + likely) >= lines;
    (sure + likely > 0 && by_lines) || is_dense(words)
}

/// `$ ls`, `>>> f(x)`, `C:\> dir`.
fn is_prompt(line: &str) -> bool {
    const PROMPTS: [&str; 3] = ["$ ", ">>> ", "C:\\"];
    let behind = |prompt: &&str| line.strip_prefix(*prompt);
    // "$ 5" is money.
    let first = PROMPTS
        .iter()
        .find_map(behind)
        .and_then(|rest| rest.trim_start().chars().next());
    first.is_some_and(|c| !c.is_ascii_digit())
}

/// A line like none of prose or verse.
fn is_statement(line: &str) -> bool {
    const BEGINS: &[&str] = &[
        "#include",
        "#define",
        "#!/",
        "//",
        "/*",
        "<?",
        "@@",
        "SELECT ",
        "INSERT INTO",
        "CREATE TABLE",
        "├",
        "└",
        "│",
        "┌",
    ];
    const HOLDS: &[&str] = &[
        "==", "!=", ":=", "=>", "&&", "||", "::", "+=", "</", "/>", "();", "{}", "[]", "->", "*/",
    ];
    const ENDS: &[&str] = &["};", " {", "){"];
    let signs_alone =
        line.chars().all(|c| "{}[]();,".contains(c)) && line.contains(['{', '}', ')', ']']);
    let assigns = || line.ends_with(';') && line.contains('=') && !line.contains(", ");
    let bare_rule = || line.chars().all(|c| "=-_*~#+|. ".contains(c));
    signs_alone
        || BEGINS.iter().any(|begins| line.starts_with(begins))
        || (HOLDS.iter().any(|holds| line.contains(holds)) && !bare_rule() && !is_bold(line))
        || ENDS.iter().any(|ends| line.ends_with(ends))
        || assigns()
        || opens_block(line)
        || is_call(line)
        || is_basic(line)
        || is_nested(line)
}

/// `==Words==` and `=words=` are bold in old texts, not compared.
fn is_bold(line: &str) -> bool {
    line.len() > 2 && line.starts_with('=') && line.ends_with('=')
}

/// `def f(x):`, `if x:`, `while (x) do`.
fn opens_block(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "if", "elif", "else", "for", "while", "try", "except", "finally", "with", "class", "def",
        "switch", "case", "function", "fn", "func", "sub",
    ];
    let end = line
        .find(|c: char| !c.is_ascii_lowercase())
        .unwrap_or(line.len());
    let (word, rest) = line.split_at(end);
    WORDS.contains(&word)
        && (rest.trim_start().starts_with('(')
            || (rest.ends_with(':') && !rest.contains([',', ';', '’'])))
}

/// `print(x)`, `y = f(x);`: a name with its bracket right behind, but for "the letter(s)".
fn is_call(line: &str) -> bool {
    let name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    line.ends_with([')', ';'])
        && line.match_indices('(').any(|(at, _)| {
            let before = &line[..at];
            let called = before.len() - before.trim_end_matches(name).len();
            let is_plural = line[at..].starts_with("(s)") || line[at..].starts_with("(es)");
            called > 0 && !is_plural && !before.ends_with('.')
        })
}

/// `(define (f x)`
fn is_nested(line: &str) -> bool {
    let mut depth = 0usize;
    line.starts_with('(')
        && line.chars().any(|c| {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth > 1
        })
}

/// `10 PRINT "HELLO"`.
fn is_basic(line: &str) -> bool {
    const WORDS: &[&str] = &[
        "PRINT", "GOTO", "LET", "REM", "INPUT", "NEXT", "GOSUB", "DIM", "RETURN",
    ];
    let rest = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let word = rest
        .trim_start()
        .split(|c: char| !c.is_ascii_uppercase())
        .next();
    rest.len() < line.len()
        && rest.starts_with(' ')
        && word.is_some_and(|word| WORDS.contains(&word))
}

/// `name = value`, `name=value`, with nothing else before it.
fn is_setting(line: &str) -> bool {
    let name =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '[' | ']' | '$');
    line.split_once('=').is_some_and(|(before, value)| {
        let before = before.trim_end();
        !before.is_empty() && before.chars().all(name) && !value.trim().is_empty()
    })
}

/// One sign of ten is one that programs have and books have not.
fn is_dense(words: &str) -> bool {
    let (mut signs, mut all) = (0usize, 0usize);
    // Those before a sign alike only underline, or make words bold.
    let mut before = ' ';
    for c in words.chars().filter(|c| !c.is_whitespace()) {
        all += 1;
        signs += usize::from(c != before && "{}<>;$\\&@^".contains(c));
        before = c;
    }
    signs > 2 && signs * 10 >= all
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
            "for i in range(3):\n    print(i)\n",
            "int main() {\n  return 0;\n}\n",
            "if x:\n    return\nelse:\n    pass\n",
            "<p>One</p>\n<br>\n",
            "10 PRINT \"HELLO\"\n20 GOTO 10\n",
            "SELECT name FROM boats",
            "name = tide\nport = 80\n",
            "(define (f x)\n  (* x x))\n",
            "├── src\n└── tests\n",
        ];
        let no = [
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
        ];
        for words in yes {
            assert!(is_code(words), "{words}");
        }
        for words in no {
            assert!(!is_code(words), "{words}");
        }
    }
}
