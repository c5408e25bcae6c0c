//! Reads a Rust file into the paths that it names, without compiling it.
//!
//! Comments, strings and character literals are passed over; `use` trees are spread out; `self`
//! and `super` are resolved. Macros are read like other code, so a path in a macro call counts.

/// A path as written or spread out of a `use` tree, segments joined by `::`.
#[derive(Debug, PartialEq, Eq)]
pub struct Named {
    /// Resolved: begins with `crate`, or with the name of another crate or an imported item.
    pub path: String,
    /// Counted from one.
    pub line: usize,
    /// Inside a module marked `#[cfg(test)]`.
    pub in_tests: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Word(String),
    PathSeparator,
    Mark(char),
}

/// Every path of two segments or more that the text names; `module` is where the file stands,
/// for example `["pki", "template"]`.
pub fn named_paths(module: &[&str], text: &str) -> Vec<Named> {
    let tokens = tokens(text);
    let mut reader = Reader { tokens: &tokens, at: 0, module, inner: Vec::new(), depth: 0 };
    reader.read_all()
}

/// An inline module that is open: how deep its brace is, its name, and whether it is for tests.
struct Inner {
    depth: usize,
    name: String,
    tests: bool,
}

struct Reader<'a> {
    tokens: &'a [(Token, usize)],
    at: usize,
    module: &'a [&'a str],
    inner: Vec<Inner>,
    depth: usize,
}

impl Reader<'_> {
    fn read_all(&mut self) -> Vec<Named> {
        let mut found = Vec::new();
        let mut marked_for_tests = false;
        while let Some((token, line)) = self.tokens.get(self.at) {
            let line = *line;
            match token {
                Token::Mark('#') if self.spells(&["#", "[", "cfg", "(", "test", ")", "]"]) => {
                    marked_for_tests = true;
                    self.at += 7;
                }
                Token::Word(word) if word == "mod" => {
                    self.enter_module(marked_for_tests);
                    marked_for_tests = false;
                }
                // `impl Trait + use<>` captures, and imports nothing.
                Token::Word(word) if word == "use" && !self.opens_generics() => {
                    self.at += 1;
                    self.pass_separator();
                    let mut spread = Vec::new();
                    self.use_tree(String::new(), &mut spread);
                    found.extend(spread.into_iter().map(|path| self.named(path, line)));
                    marked_for_tests = false;
                }
                Token::Word(_) => {
                    let path = self.plain_path();
                    if path.contains("::") {
                        found.push(self.named(path, line));
                    }
                }
                Token::Mark('{') => {
                    self.depth += 1;
                    self.at += 1;
                    marked_for_tests = false;
                }
                Token::Mark('}') => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.inner.last().is_some_and(|inner| inner.depth == self.depth) {
                        self.inner.pop();
                    }
                    self.at += 1;
                }
                _ => self.at += 1,
            }
        }
        found
    }

    /// `mod name {` opens a module in place; `mod name;` stands in another file.
    fn enter_module(&mut self, tests: bool) {
        let name = match self.tokens.get(self.at + 1) {
            Some((Token::Word(name), _)) => name.clone(),
            _ => String::new(),
        };
        self.at += 2;
        if matches!(self.tokens.get(self.at), Some((Token::Mark('{'), _))) {
            self.inner.push(Inner { depth: self.depth, name, tests });
            self.depth += 1;
            self.at += 1;
        }
    }

    fn spells(&self, expected: &[&str]) -> bool {
        expected.iter().enumerate().all(|(offset, part)| match self.tokens.get(self.at + offset) {
            Some((Token::Word(word), _)) => word == part,
            Some((Token::Mark(mark), _)) => part.len() == 1 && part.starts_with(*mark),
            _ => false,
        })
    }

    fn opens_generics(&self) -> bool {
        matches!(self.tokens.get(self.at + 1), Some((Token::Mark('<'), _)))
    }

    fn pass_separator(&mut self) -> bool {
        let here = matches!(self.tokens.get(self.at), Some((Token::PathSeparator, _)));
        self.at += usize::from(here);
        here
    }

    /// `a::b::c` from here on; generic arguments end it.
    fn plain_path(&mut self) -> String {
        let mut path = String::new();
        while let Some((Token::Word(word), _)) = self.tokens.get(self.at) {
            path = joined(&path, word);
            self.at += 1;
            let more = matches!(self.tokens.get(self.at + 1), Some((Token::Word(_), _)));
            if !(more && self.pass_separator()) {
                break;
            }
        }
        path
    }

    /// One branch of a `use` tree below `stem`; leaves are pushed to `spread`.
    fn use_tree(&mut self, stem: String, spread: &mut Vec<String>) {
        let mut path = stem;
        loop {
            match self.tokens.get(self.at).map(|(token, _)| token) {
                Some(Token::Word(word)) if word == "as" => {
                    self.at += 2; // the new name says nothing about where it comes from
                    break;
                }
                Some(Token::Word(word)) => {
                    path = joined(&path, word);
                    self.at += 1;
                }
                Some(Token::PathSeparator) => self.at += 1,
                Some(Token::Mark('*')) => {
                    path = joined(&path, "*");
                    self.at += 1;
                }
                Some(Token::Mark('{')) => {
                    self.at += 1;
                    // A semicolon in braces is no import at all: stop rather than never end.
                    while !matches!(
                        self.tokens.get(self.at),
                        None | Some((Token::Mark('}' | ';'), _))
                    ) {
                        self.use_tree(path.clone(), spread);
                        if matches!(self.tokens.get(self.at), Some((Token::Mark(','), _))) {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                Some(Token::Mark(',' | '}' | ';')) | None => break,
                Some(Token::Mark(_)) => self.at += 1,
            }
        }
        spread.push(path);
    }

    /// Resolves `self` and `super` against where the text stands.
    fn named(&self, path: String, line: usize) -> Named {
        let mut place: Vec<&str> = self.module.to_vec();
        place.extend(self.inner.iter().map(|inner| inner.name.as_str()));
        let mut rest = path.as_str();
        let mut relative = false;
        loop {
            let (first, after) = rest.split_once("::").unwrap_or((rest, ""));
            match first {
                "self" => {}
                "super" => drop(place.pop()),
                _ => break,
            }
            relative = true;
            rest = after;
        }
        let in_tests = self.inner.iter().any(|inner| inner.tests);
        let path = if relative { joined(&joined("crate", &place.join("::")), rest) } else { path };
        Named { path, line, in_tests }
    }
}

fn joined(stem: &str, part: &str) -> String {
    match (stem, part) {
        ("", part) => part.to_owned(),
        (stem, "" | "self") if !stem.ends_with("super") && stem != "self" => stem.to_owned(),
        (stem, part) => format!("{stem}::{part}"),
    }
}

/// Words and marks with their lines; comments, strings and literals are left out.
fn tokens(text: &str) -> Vec<(Token, usize)> {
    let chars: Vec<char> = text.chars().collect();
    let mut found = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&here) = chars.get(at) {
        let next = chars.get(at + 1).copied().unwrap_or(' ');
        let start = at;
        match here {
            '/' if next == '/' => at = after_line(&chars, at),
            '/' if next == '*' => at = after_block_comment(&chars, at),
            '"' => at = after_string(&chars, at + 1),
            'r' | 'b' | 'c' if raw_string(&chars, at).is_some() => {
                at = raw_string(&chars, at).unwrap_or(at + 1);
            }
            '\'' => at = after_quote(&chars, at),
            ':' if next == ':' => {
                found.push((Token::PathSeparator, line));
                at += 2;
            }
            _ if here.is_alphanumeric() || here == '_' => {
                while chars.get(at).is_some_and(|c| c.is_alphanumeric() || *c == '_') {
                    at += 1;
                }
                found.push((Token::Word(chars[start..at].iter().collect()), line));
            }
            _ if here.is_whitespace() => at += 1,
            _ => {
                found.push((Token::Mark(here), line));
                at += 1;
            }
        }
        line += chars[start..at.min(chars.len())].iter().filter(|c| **c == '\n').count();
    }
    found
}

fn after_line(chars: &[char], at: usize) -> usize {
    chars[at..].iter().position(|c| *c == '\n').map_or(chars.len(), |length| at + length)
}

fn after_block_comment(chars: &[char], start: usize) -> usize {
    let (mut at, mut depth) = (start, 0usize);
    while at < chars.len() {
        match (chars[at], chars.get(at + 1)) {
            ('/', Some('*')) => (depth, at) = (depth + 1, at + 2),
            ('*', Some('/')) => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
        if depth == 0 {
            break;
        }
    }
    at
}

/// Past the closing quote of a string whose contents begin at `at`.
fn after_string(chars: &[char], mut at: usize) -> usize {
    while let Some(here) = chars.get(at) {
        match here {
            '\\' => at += 2,
            '"' => return at + 1,
            _ => at += 1,
        }
    }
    at
}

/// Past `r"…"`, `r#"…"#`, `br…`, `b"…"`, `c"…"`; `None` where none of them begins.
fn raw_string(chars: &[char], start: usize) -> Option<usize> {
    let prefix: String = chars[start..].iter().take(2).collect();
    let letters = match prefix.as_str() {
        "br" | "cr" => 2,
        _ => 1,
    };
    let raw = chars.get(start + letters - 1) == Some(&'r');
    let mut at = start + letters;
    let mut hashes = 0;
    while raw && chars.get(at) == Some(&'#') {
        (hashes, at) = (hashes + 1, at + 1);
    }
    if chars.get(at) != Some(&'"') {
        return None;
    }
    if !raw {
        return Some(after_string(chars, at + 1));
    }
    let mut end = vec!['"'];
    end.extend(std::iter::repeat_n('#', hashes));
    let body = chars.get(at + 1..)?;
    let length = body.windows(end.len()).position(|window| window == end)?;
    Some(at + 1 + length + end.len())
}

/// Past a character literal, or past the tick of a lifetime.
fn after_quote(chars: &[char], at: usize) -> usize {
    match (chars.get(at + 1), chars.get(at + 2)) {
        (Some('\\'), _) => {
            let body = chars.get(at + 3..).unwrap_or_default();
            at + 4 + body.iter().position(|c| *c == '\'').unwrap_or(body.len())
        }
        (Some(_), Some('\'')) => at + 3,
        _ => at + 1,
    }
}

#[cfg(test)]
mod tests {
    use super::named_paths;

    fn paths(text: &str) -> Vec<String> {
        named_paths(&["pki", "name"], text).into_iter().map(|named| named.path).collect()
    }

    #[test]
    fn a_nested_use_tree_is_spread() {
        let text = "use crate::{ca::{self, enroll::Enroll as E, *}, pki::time};";
        let expected =
            ["crate::ca", "crate::ca::enroll::Enroll", "crate::ca::*", "crate::pki::time"];
        assert_eq!(paths(text), expected);
    }

    #[test]
    fn super_and_self_are_resolved_also_inside_modules() {
        assert_eq!(paths("use super::super::ca::X;"), ["crate::ca::X"]);
        assert_eq!(paths("use self::inner::X;"), ["crate::pki::name::inner::X"]);
        assert_eq!(paths("mod tests { use super::*; }"), ["crate::pki::name::*"]);
        assert_eq!(
            paths("mod a { mod b {} fn f() { super::super::oid::X } }"),
            ["crate::pki::oid::X"]
        );
    }

    #[test]
    fn inline_paths_count_in_code_and_not_in_comments_or_strings() {
        let text = r##"
            // crate::comment::Line
            /* crate::comment /* crate::nested */ crate::still */
            fn f<'a>(x: &'a crate::ca::Authority) -> char { let _ = "crate::text"; '"' }
            const R: &str = r#"crate::raw " "#; const B: &[u8] = b"crate::bytes\"";
            fn g() { crate::storage::open::<crate::signing::Key>('\'', '\u{7f}') }
        "##;
        assert_eq!(
            paths(text),
            ["crate::ca::Authority", "crate::storage::open", "crate::signing::Key"]
        );
    }

    #[test]
    fn a_capture_list_is_no_import() {
        let text = "fn f() -> impl Fn() + use<> { a::b(); }\nuse std::fs;\n";
        let found: Vec<_> = named_paths(&["pki"], text).into_iter().map(|one| one.path).collect();
        assert_eq!(found, ["a::b", "std::fs"]);
    }

    #[test]
    fn lines_and_test_modules_are_told() {
        let text = "\n#[cfg(test)]\nmod tests {\n use std::fs::File;\n}\nuse std::net::IpAddr;\n";
        let found = named_paths(&["pki"], text);
        assert_eq!((found[0].line, found[0].in_tests), (4, true));
        assert_eq!((found[1].line, found[1].in_tests), (6, false));
    }
}
