//! Pointers to fields, as RFC 6901 writes them: `/address/city`.

/// What leads from a value to a field of it: a `/` and a token for each step. Empty for the value itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pointer<'p>(&'p [u8]);

/// The name of a member, with `~` as `~0` and `/` as `~1`; or the index of an element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token<'p> {
    written: &'p [u8],
    has_escapes: bool,
}

impl<'p> Pointer<'p> {
    /// The pointer that a text is; `None` if it does not begin with a `/`.
    #[must_use]
    pub fn of(text: &'p [u8]) -> Option<Self> {
        matches!(text, [] | [b'/', ..]).then_some(Self(text))
    }

    /// The first token, and where the pointer leads from there; `None` at its end.
    #[must_use]
    pub fn step(self) -> Option<(Token<'p>, Self)> {
        let (_, rest) = self.0.split_first()?;
        let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
        let (token, after) = rest.split_at(end);
        Some((Token::new(token), Self(after)))
    }

    /// What leads to the object or array that it ends in, and its last token; `None` for the value itself.
    #[must_use]
    pub fn split_last(self) -> Option<(Self, Token<'p>)> {
        let slash = self.0.iter().rposition(|byte| *byte == b'/')?;
        Some((Self(&self.0[..slash]), Token::new(&self.0[slash + 1..])))
    }

    /// Steps that it has.
    #[must_use]
    pub fn len(self) -> usize {
        self.0.split(|byte| *byte == b'/').count() - 1
    }

    /// Whether it leads to the value itself.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

impl<'p> Token<'p> {
    fn new(written: &'p [u8]) -> Self {
        Self { written, has_escapes: written.contains(&b'~') }
    }

    /// Whether it stands for this name.
    #[inline]
    #[must_use]
    pub fn is(self, name: &[u8]) -> bool {
        if !self.has_escapes {
            return self.written == name;
        }
        let mut rest = self.written;
        for byte in name {
            let written = match byte {
                b'~' => &b"~0"[..],
                b'/' => b"~1",
                other => std::slice::from_ref(other),
            };
            let Some(after) = rest.strip_prefix(written) else { return false };
            rest = after;
        }
        rest.is_empty()
    }

    /// The index that it is: digits without a zero before others.
    #[must_use]
    pub fn index(self) -> Option<usize> {
        let digits = self.written;
        if digits.len() > 1 && digits[0] == b'0' || !digits.iter().all(u8::is_ascii_digit) {
            return None;
        }
        std::str::from_utf8(digits).ok()?.parse().ok()
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn token(text: &str) -> Token<'_> {
        Token::new(text.as_bytes())
    }

    #[test]
    fn a_pointer_is_its_tokens() {
        let mut pointer = Pointer::of(b"/a//b/").unwrap();
        assert_eq!(pointer.len(), 4);
        for expected in ["a", "", "b", ""] {
            let (found, rest) = pointer.step().unwrap();
            assert_eq!(found, token(expected));
            pointer = rest;
        }
        assert!(pointer.is_empty());
        assert_eq!(pointer.step(), None);
        assert_eq!(Pointer::of(b"").unwrap().step(), None);
        assert_eq!(Pointer::of(b"a/b"), None);
        for (text, parent, last) in [("/a/b", "/a", "b"), ("/a", "", "a"), ("/a/", "/a", ""), ("/", "", "")] {
            let pointer = Pointer::of(text.as_bytes()).unwrap();
            assert_eq!(pointer.split_last(), Some((Pointer(parent.as_bytes()), token(last))));
        }
        assert_eq!(Pointer(b"").split_last(), None);
    }

    #[test]
    fn a_token_stands_for_one_name() {
        for (written, name) in [("a", "a"), ("", ""), ("~0", "~"), ("~1", "/"), ("a~1b~0c", "a/b~c"), ("~01", "~1")] {
            assert!(token(written).is(name.as_bytes()), "{written}");
        }
        for (written, name) in
            [("a", "b"), ("a", "aa"), ("~0", "~0"), ("~0", ""), ("~", "~"), ("~2", "~2"), ("a~0", "a")]
        {
            assert!(!token(written).is(name.as_bytes()), "{written}");
        }
    }

    #[test]
    fn an_index_has_digits_only() {
        for (written, index) in [("0", 0), ("7", 7), ("10", 10), ("65536", 65_536)] {
            assert_eq!(token(written).index(), Some(index));
        }
        for written in ["", "-", "-1", "+1", "01", "00", "1.0", "1e1", " 1", "99999999999999999999999", "é"] {
            assert_eq!(token(written).index(), None, "{written}");
        }
    }
}
