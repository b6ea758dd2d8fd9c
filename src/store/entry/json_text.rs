//! A field of a JSON text, found by its pointer in one pass, without making the values around it.
//!
//! The texts of a map are made by `lib/codec/`, so this only looks for where things end, and does not check what it
//! passes over. JavaScript parses what was found. Text that is not JSON leads to [`NotJson`], or to something that
//! JavaScript does not parse, and never beyond its end.

use super::pointer::{Pointer, Token};
use crate::store::error::Error;

/// Text that is not JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotJson;

impl From<NotJson> for Error {
    fn from(_: NotJson) -> Self {
        Self::Broken
    }
}

/// Finds the text of what a pointer leads to; `None` if that is nothing. Of members with the same name, the last
/// counts, as for `JSON.parse`.
///
/// Goes down one level for each step of the pointer, which the caller bounds.
pub fn find<'t>(text: &'t [u8], pointer: Pointer<'_>) -> Result<Option<&'t [u8]>, NotJson> {
    let mut scanner = Scanner::new(text);
    let found = scanner.seek(pointer)?;
    scanner.space();
    if scanner.at == text.len() { Ok(found) } else { Err(NotJson) }
}

/// Goes over a JSON text.
pub struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl<'t> Scanner<'t> {
    /// From its start.
    pub fn new(text: &'t [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// Passes over a value; the result is what a pointer leads to in it.
    fn seek(&mut self, pointer: Pointer<'_>) -> Result<Option<&'t [u8]>, NotJson> {
        let Some((token, rest)) = pointer.step() else { return self.value().map(Some) };
        let mut found = None;
        match self.peek()? {
            b'{' => {
                let mut is_first = true;
                while self.has_next(b'}', &mut is_first)? {
                    let name = self.value()?;
                    self.expect(b':')?;
                    if is_named(name, token)? {
                        found = self.seek(rest)?;
                    } else {
                        self.value()?;
                    }
                }
            }
            b'[' => {
                let (mut index, mut is_first) = (0, true);
                let wanted = token.index();
                while self.has_next(b']', &mut is_first)? {
                    if wanted == Some(index) {
                        found = self.seek(rest)?;
                    } else {
                        self.value()?;
                    }
                    index += 1;
                }
            }
            _ => {
                self.value()?;
            }
        }
        Ok(found)
    }

    /// Whether another member follows in an object or array, from before its first one on; passes over what separates
    /// them, and over the end.
    pub fn has_next(&mut self, end: u8, is_first: &mut bool) -> Result<bool, NotJson> {
        if *is_first {
            self.at += 1;
        }
        let next = self.peek()?;
        if next == end {
            self.at += 1;
            return Ok(false);
        }
        if !std::mem::replace(is_first, false) {
            self.expect(b',')?;
        }
        Ok(true)
    }

    /// The next byte that is no space.
    pub fn peek(&mut self) -> Result<u8, NotJson> {
        self.space();
        self.text.get(self.at).copied().ok_or(NotJson)
    }

    /// Passes over a value, and returns its text.
    pub fn value(&mut self) -> Result<&'t [u8], NotJson> {
        let first = self.peek()?;
        let start = self.at;
        match first {
            b'"' => self.string()?,
            b'{' | b'[' => self.nested()?,
            _ => self.scalar(),
        }
        if self.at == start { Err(NotJson) } else { Ok(&self.text[start..self.at]) }
    }

    fn space(&mut self) {
        while matches!(self.text.get(self.at), Some(b' ' | b'\n' | b'\r' | b'\t')) {
            self.at += 1;
        }
    }

    /// Passes over this byte, and spaces before it.
    pub fn expect(&mut self, byte: u8) -> Result<(), NotJson> {
        if self.peek()? != byte {
            return Err(NotJson);
        }
        self.at += 1;
        Ok(())
    }

    fn string(&mut self) -> Result<(), NotJson> {
        self.at += 1;
        loop {
            let rest = self.text.get(self.at..).ok_or(NotJson)?;
            let end = memchr::memchr2(b'"', b'\\', rest).ok_or(NotJson)?;
            self.at += end + 1;
            if rest[end] == b'"' {
                return Ok(());
            }
            // What is escaped ends no string.
            self.at += 1;
        }
    }

    /// Passes over an object or array, without going down into it.
    fn nested(&mut self) -> Result<(), NotJson> {
        let mut depth = 0_usize;
        loop {
            match self.text.get(self.at).ok_or(NotJson)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth -= 1,
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }

    /// Passes over a number or a word.
    fn scalar(&mut self) {
        let rest = &self.text[self.at..];
        let is_end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b':' | b'"' | b' ' | b'\n' | b'\r' | b'\t');
        self.at += rest.iter().position(is_end).unwrap_or(rest.len());
    }
}

/// Whether a name, in its quotes, is the one that a token stands for.
fn is_named(quoted: &[u8], token: Token<'_>) -> Result<bool, NotJson> {
    let [b'"', name @ .., b'"'] = quoted else { return Err(NotJson) };
    if memchr::memchr(b'\\', name).is_none() {
        return Ok(token.is(name));
    }
    Ok(unescaped(quoted).is_some_and(|name| token.is(name.as_bytes())))
}

/// The code units that the content of a JSON string stands for; `None` if it is none.
#[must_use]
pub fn unescaped_units(content: &[u8]) -> Option<Vec<u16>> {
    std::str::from_utf8(content).ok()?;
    Unescaped::of(content).collect::<Result<_, _>>().ok()
}

/// The code units that the content of a JSON string stands for, one after the other.
pub struct Unescaped<'t> {
    characters: std::str::Chars<'t>,
    /// The second of two units.
    low: Option<u16>,
}

impl<'t> Unescaped<'t> {
    /// Of this content, up to what is no UTF-8.
    #[must_use]
    pub fn of(content: &'t [u8]) -> Self {
        let valid = content.utf8_chunks().next().map_or("", |chunk| chunk.valid());
        Self { characters: valid.chars(), low: None }
    }

    /// What an escape stands for, from after its backslash on.
    fn escape(&mut self) -> Option<u16> {
        Some(match self.characters.next()? {
            'b' => 8,
            'f' => 12,
            'n' => 10,
            'r' => 13,
            't' => 9,
            'u' => {
                let (digits, rest) = self.characters.as_str().split_at_checked(4)?;
                self.characters = rest.chars();
                u16::from_str_radix(digits, 16).ok()?
            }
            other => u16::try_from(u32::from(other)).ok()?,
        })
    }
}

impl Iterator for Unescaped<'_> {
    type Item = Result<u16, NotJson>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(low) = self.low.take() {
            return Some(Ok(low));
        }
        let character = self.characters.next()?;
        if character == '\\' {
            return Some(self.escape().ok_or(NotJson));
        }
        let mut units = [0; 2];
        character.encode_utf16(&mut units);
        self.low = Some(units[1]).filter(|_| character.len_utf16() == 2);
        Some(Ok(units[0]))
    }
}

/// The text that a JSON string stands for; `None` if that has lone surrogates.
pub fn unescaped(quoted: &[u8]) -> Option<String> {
    serde_json::from_slice(quoted).ok()
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn at(text: &'static str, pointer: &str) -> Result<Option<&'static str>, NotJson> {
        let found = find(text.as_bytes(), Pointer::of(pointer.as_bytes()).unwrap())?;
        Ok(found.map(|text| std::str::from_utf8(text).unwrap()))
    }

    #[test]
    fn a_field_is_found_as_its_text() {
        let text = r#" { "a" : { "b" : [ 1, "x]}\"\\", { "c" : null } ] } , "é": "ü", "": -1.5e3 } "#;
        for (pointer, found) in [
            ("/a/b/0", "1"),
            ("/a/b/1", r#""x]}\"\\""#),
            ("/a/b/2", r#"{ "c" : null }"#),
            ("/a/b/2/c", "null"),
            ("/é", "\"ü\""),
            ("/", "-1.5e3"),
        ] {
            assert_eq!(at(text, pointer), Ok(Some(found)), "{pointer}");
        }
        for pointer in ["/b", "/a/b/3", "/a/b/-", "/a/b/00", "/a/b/length", "/a/b/0/0", "/é/0", "/a/b/1/x"] {
            assert_eq!(at(text, pointer), Ok(None), "{pointer}");
        }
        assert_eq!(at("[[],{}]", ""), Ok(Some("[[],{}]")));
        assert_eq!(at("[[],{}]", "/1"), Ok(Some("{}")));
        assert_eq!(at("[]", "/0"), Ok(None));
    }

    #[test]
    fn escaped_names_are_the_names_that_they_stand_for() {
        let text = r#"{"a\"b":1,"\u0061":2,"\ud83d\ude00":3,"\ud800":4,"x/y":5,"x~y":6}"#;
        for (pointer, found) in [("/a\"b", "1"), ("/a", "2"), ("/😀", "3"), ("/x~1y", "5"), ("/x~0y", "6")] {
            assert_eq!(at(text, pointer), Ok(Some(found)), "{pointer}");
        }
        assert_eq!(at(text, "/\u{fffd}"), Ok(None));
    }

    #[test]
    fn escapes_stand_for_code_units() {
        let units = |content: &str| unescaped_units(content.as_bytes()).map(|units| String::from_utf16_lossy(&units));
        assert_eq!(units(r#"a\"\\\/\b\f\n\r\té\u00e9\ud83d\ude00"#).unwrap(), "a\"\\/\u{8}\u{c}\n\r\téé😀");
        assert_eq!(unescaped_units(br"\ud800").unwrap(), [0xd800]);
        for broken in [r"\", r"\u12", r"\u12x4", r"\u12é"] {
            assert_eq!(units(broken), None, "{broken}");
        }
    }

    #[test]
    fn of_members_with_one_name_the_last_counts() {
        assert_eq!(at(r#"{"a":1,"a":2}"#, "/a"), Ok(Some("2")));
        assert_eq!(at(r#"{"a":{"b":1},"a":{"c":2}}"#, "/a/b"), Ok(None));
    }

    #[test]
    fn nesting_takes_no_stack() {
        let text = format!("{{\"a\":{}{},\"b\":1}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(find(text.as_bytes(), Pointer::of(b"/b").unwrap()), Ok(Some(&b"1"[..])));
    }

    #[test]
    fn what_is_not_json_ends_with_the_text() {
        for text in [
            "", "{", "[", "{\"a", "{\"a\\", "{\"a\"", "{\"a\":", "{\"a\":1", "{a:1}", "[1", "[1,", "{} x", "}", ",",
            "{\"a\":}",
        ] {
            assert_eq!(at(text, "/a"), Err(NotJson), "{text}");
        }
        assert_eq!(at("[1 2]", "/0"), Err(NotJson));
        assert_eq!(at("\"a\\", ""), Err(NotJson));
    }

    #[test]
    fn every_beginning_of_a_text_ends_within_it() {
        let text = r#"{"a":[1,{"b":"\"\\ü"},[]],"é\n":{"c":[true,null]}}"#.as_bytes();
        for end in 0..text.len() {
            for pointer in ["", "/a", "/a/1/b", "/b/c/0"] {
                assert_eq!(find(&text[..end], Pointer::of(pointer.as_bytes()).unwrap()), Err(NotJson), "{end}");
            }
        }
    }
}
