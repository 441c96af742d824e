//! What one line says of the program that it may belong to. It must never take for sure what stands in
//! books: words one behind the other are prose, whatever signs stand around them.

/// What a line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// It is like none of prose or verse.
    Sure,
    /// A poem may have one of them.
    Likely,
    /// A name is set to another, or explained by it.
    Named,
    Nothing,
}

impl Sign {
    fn or_likely(is_sure: bool) -> Self {
        if is_sure { Sign::Sure } else { Sign::Likely }
    }
}

/// What a line says. Braces count where the text `has_braces` of both kinds; `opens` tells that the next
/// line is set in from it.
pub(super) fn sign(line: &str, has_braces: bool, opens: bool) -> Sign {
    const BEGINS: &[&str] = &[
        "#include",
        "#define",
        "#!/",
        "/*",
        "<?",
        "@@",
        "INSERT INTO",
        "CREATE TABLE",
    ];
    const ENDS: &[&str] = &["};", " {", "){"];
    let signs_alone =
        has_braces && line.contains(['{', '}']) && line.chars().all(|c| "{}[]();,".contains(c));
    let is_sure = signs_alone
        || BEGINS.iter().any(|begins| line.starts_with(begins))
        || ENDS.iter().any(|ends| line.ends_with(ends))
        || (line.starts_with("SELECT ") && line.contains(" FROM "))
        || has_operator(line)
        || assigns(line)
        || is_basic(line)
        || is_nested(line)
        || is_tree(line);
    if is_sure {
        return Sign::Sure;
    }
    if line.starts_with("//") {
        return Sign::Likely;
    }
    match block(line) {
        Sign::Likely if !opens => {}
        Sign::Nothing => {}
        found => return found,
    }
    match call(line) {
        Sign::Nothing => setting(line),
        found => found,
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Whether no two words stand behind each other with nothing but a blank between, as words of prose do.
/// What stands in quotes does not count.
pub(super) fn is_tied(code: &str) -> bool {
    const BETWEEN: &[&str] = &[
        "in", "not", "and", "or", "is", "as", "of", "const", "let", "var", "int", "new", "await",
        "auto", "mut",
    ];
    let mut before = false;
    // Every second part stands in quotes.
    let outside = code.split('"').step_by(2);
    let mut words = outside.flat_map(|part| part.split_whitespace().chain(Some("\"")));
    !words.any(|word| {
        let is_plain = word
            .chars()
            .all(|c| c.is_alphanumeric() || "'’".contains(c))
            && !BETWEEN.contains(&word);
        std::mem::replace(&mut before, is_plain) && is_plain
    })
}

/// Whether signs of a program stand in it; an apostrophe and what ends a sentence are none.
fn has_signs(code: &str) -> bool {
    code.contains(|c: char| "=<>&|+*%_[]{}\"()$".contains(c))
}

/// `a == b`, `a::b`, `x.f();`, `(x) => x`, `p->next;`: signs that stand for nothing in a book.
fn has_operator(line: &str) -> bool {
    const ANYWHERE: &[&str] = &["!=", ":=", "&&", "+=", "/>", "();", "*/"];
    let holds = |sign: &str, is_one: &dyn Fn(&str, &str) -> bool| {
        line.match_indices(sign)
            .any(|(at, _)| is_one(&line[..at], &line[at + sign.len()..]))
    };
    let compares = |before: &str, behind: &str| {
        !before.trim_end().is_empty() && !before.ends_with('=') && !behind.starts_with('=')
    };
    // `==Words==` is bold in old texts.
    let is_bold = line.starts_with('=') || line.ends_with('=');
    let is_statement = line.ends_with([';', ')', '{', ',']);
    ANYWHERE.iter().any(|sign| line.contains(sign))
        || (!is_bold && holds("==", &compares))
        || holds("</", &|_, behind| {
            behind.starts_with(|c: char| c.is_ascii_alphabetic())
        })
        || holds("::", &|before, behind| {
            before.ends_with(|c| is_name(c) || c == '>') && behind.starts_with(|c| is_name(c) || c == '<')
        })
        || holds("{}", &|before, _| !before.is_empty())
        || holds("[]", &|before, _| {
            before.ends_with(is_name) || before.trim_end().ends_with(['=', '('])
        })
        // In a recipe an arrow leads to the next step.
        || holds("=>", &|before, _| before.trim_end().ends_with([')', '\'', '"']))
        || holds("->", &|before, behind| {
            before.trim_end().ends_with(')')
                || (is_statement && before.ends_with(is_name) && behind.starts_with(is_name))
        })
}

/// `let x = 1;`, `total = x.len();`
fn assigns(line: &str) -> bool {
    const DECLARES: &[&str] = &[
        "let", "const", "var", "int", "float", "double", "char", "bool", "auto", "static", "final",
        "my", "our", "local", "mut", "String",
    ];
    let Some((before, value)) = line.strip_suffix(';').and_then(|line| line.split_once('=')) else {
        return false;
    };
    let names: Vec<&str> = before.split_whitespace().take(4).collect();
    let Some((name, declares)) = names.split_last() else {
        return false;
    };
    let is_declared = !declares.is_empty() && declares.iter().all(|word| DECLARES.contains(word));
    let is_set = declares.is_empty() && name.len() > 1 && (has_signs(value) || is_value(value));
    name.chars().all(|c| is_name(c) || ".[]$:".contains(c))
        && (is_declared || is_set)
        && is_tied(value)
}

/// `print(x)`, `y = f(x);`: a name with its bracket right behind, which ends the line.
fn call(line: &str) -> Sign {
    const BEFORE: &[&str] = &["return", "await", "yield", "new", "throw", "raise"];
    let ends = line.ends_with(';');
    let line = line.trim_end_matches(';');
    let Some((head, arguments)) = line.strip_suffix(')').and_then(|line| line.split_once('('))
    else {
        return Sign::Nothing;
    };
    let before = head.trim_end_matches(|c| is_name(c) || c == '.');
    let name = &head[before.len()..];
    let before = before.trim();
    let is_begun = before.is_empty()
        || BEFORE.contains(&before)
        || (before.ends_with('=') && is_tied(before.trim_end_matches('=')));
    // "Whisky (neat)" has its bracket right behind in a menu.
    let is_named = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') || ends;
    if name.is_empty() || name.ends_with('.') || !is_begun || !is_named || !is_tied(arguments) {
        return Sign::Nothing;
    }
    // "child(ren)", "his(her)", "note(3)"
    let is_plain = arguments.contains(char::is_alphanumeric)
        && !has_signs(arguments)
        && !name.contains(['.', '_'])
        && before.is_empty();
    Sign::or_likely(!is_plain)
}

/// `def f(x):`, `if x:`, `while (x) do`.
fn block(line: &str) -> Sign {
    const NAMED: &[&str] = &["def", "function", "fn", "func"];
    const ALONE: &[&str] = &["else", "try", "finally", "except"];
    const WORDS: &[&str] = &[
        "if", "elif", "for", "while", "with", "class", "except", "switch", "until",
    ];
    let (word, rest) = line.split_at(
        line.find(|c: char| !c.is_ascii_lowercase())
            .unwrap_or(line.len()),
    );
    let body = rest.trim();
    if NAMED.contains(&word) {
        let name = body.trim_start_matches(is_name);
        return match name.len() < body.len() && name.starts_with('(') && rest.starts_with(' ') {
            true => Sign::Sure,
            false => Sign::Nothing,
        };
    }
    if ALONE.contains(&word) && rest == ":" {
        return Sign::Likely;
    }
    if !WORDS.contains(&word) {
        return Sign::Nothing;
    }
    if body.starts_with('(') {
        return condition(body);
    }
    match body.strip_suffix(':') {
        Some(body) if !body.is_empty() && !body.contains([',', ';', '’']) && is_tied(body) => {
            Sign::or_likely(has_signs(body))
        }
        _ => Sign::Nothing,
    }
}

/// `(x > 0)`, `(x > 0) return;`: a condition in brackets, and what follows from it.
fn condition(body: &str) -> Sign {
    const ENDS: &[&str] = &["", ":", ";", "then", "do"];
    const LEAVES: &[&str] = &["return", "break", "continue", "throw", "exit"];
    let mut depth = 0usize;
    let close = body.char_indices().find(|&(_, c)| {
        depth += usize::from(c == '(');
        depth -= usize::from(c == ')');
        depth == 0
    });
    let Some((close, _)) = close else {
        return Sign::Nothing;
    };
    let (inner, behind) = (&body[1..close], body[close + 1..].trim());
    if !is_tied(inner) {
        return Sign::Nothing;
    }
    let first = behind.split(|c: char| !c.is_ascii_lowercase()).next();
    let leaves = behind.ends_with(';') && first.is_some_and(|first| LEAVES.contains(&first));
    if leaves || assigns(behind) || call(behind) != Sign::Nothing {
        return Sign::Sure;
    }
    match ENDS.contains(&behind) {
        true => Sign::or_likely(has_signs(inner)),
        false => Sign::Nothing,
    }
}

/// `(define (f x)`
fn is_nested(line: &str) -> bool {
    const BEGINS: &[&str] = &[
        "(define (",
        "(defun ",
        "(defn ",
        "(defmacro ",
        "(lambda (",
        "(setq ",
        "(let ((",
        "(let [",
        "(cond (",
    ];
    BEGINS.iter().any(|begins| line.starts_with(begins))
}

/// `├── main.rs`: the name of a file, but not that of a person, and no line of a table.
fn is_tree(line: &str) -> bool {
    let branch = line.trim_start_matches(|c: char| c == '│' || c.is_whitespace());
    let name = branch.trim_start_matches(['├', '└', '─']).trim();
    branch.starts_with(['├', '└'])
        && !name.contains(char::is_whitespace)
        && (name.starts_with(|c: char| c.is_lowercase()) || name.contains(['.', '/', '_']))
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

/// `name = value`, `name=value`, with nothing else before it. Letters and words that begin with a capital
/// are explained in a legend.
fn setting(line: &str) -> Sign {
    let Some((name, value)) = line.split_once('=') else {
        return Sign::Nothing;
    };
    let (name, value) = (name.trim_end(), value.trim());
    let has_small = || name.contains(|c: char| c.is_ascii_lowercase());
    let is_word = name.starts_with(|c: char| c.is_ascii_uppercase())
        && has_small()
        && name.chars().all(char::is_alphanumeric);
    let is_key = name.len() > 1
        && name.starts_with(|c: char| c.is_ascii_alphabetic() || "_$".contains(c))
        && name.chars().all(|c| is_name(c) || ".-[]$".contains(c));
    match () {
        () if !is_key || is_word || value.is_empty() => Sign::Nothing,
        () if is_value(value) => Sign::Likely,
        () if !value.contains(char::is_whitespace) => Sign::Named,
        () => Sign::Nothing,
    }
}

/// A number, a path, a word in quotes, something in brackets: what no word is explained by.
fn is_value(value: &str) -> bool {
    const WORDS: &[&str] = &[
        "true", "false", "null", "none", "nil", "yes", "no", "on", "off",
    ];
    let value = value.trim();
    let is_quoted =
        |mark: char| value.len() > 1 && value.starts_with(mark) && value.ends_with(mark);
    let is_number = value.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        && value
            .chars()
            .all(|c| c.is_ascii_digit() || "-.,_".contains(c));
    let is_one = !value.contains(char::is_whitespace);
    let is_path =
        is_one && (value.starts_with(['.', '~', '$']) || value.contains(['/', '_', '\\']));
    is_number
        || is_path
        || (is_one && (is_quoted('"') || is_quoted('\'')))
        || (value.starts_with(['[', '{']) && value.ends_with([']', '}']))
        || WORDS.contains(&&*value.to_ascii_lowercase())
}
