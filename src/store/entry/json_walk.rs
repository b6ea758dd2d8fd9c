//! A walk over a JSON text: its values one after the other, without going back and however deep they are.

use super::json_text::{NotJson, Scanner};
use crate::store::error::Error;
use crate::store::platform::fallible;

/// What comes next in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step<'t> {
    /// A value without members.
    Scalar(&'t [u8]),
    /// An array begins.
    Array,
    /// An object begins.
    Object,
    /// The name of a member, in its quotes, whose value follows.
    Name(&'t [u8]),
    /// The innermost array or object ends.
    End,
}

/// An array or object whose end has not come.
#[derive(Clone, Copy)]
struct Open {
    is_object: bool,
    is_first: bool,
}

/// A walk over one value.
pub struct Walk<'t> {
    scanner: Scanner<'t>,
    /// Innermost last.
    open: Vec<Open>,
    /// Whether a value comes next.
    is_value: bool,
}

impl<'t> Walk<'t> {
    /// Over the value that a text begins with.
    #[must_use]
    pub fn new(text: &'t [u8]) -> Self {
        Self { scanner: Scanner::new(text), open: Vec::new(), is_value: true }
    }

    /// The next step; `None` after the value.
    pub fn step(&mut self) -> Result<Option<Step<'t>>, Error> {
        if self.is_value {
            return self.value().map(Some);
        }
        let Some(open) = self.open.last_mut() else { return Ok(None) };
        let end = if open.is_object { b'}' } else { b']' };
        if !self.scanner.has_next(end, &mut open.is_first)? {
            self.open.pop();
            return Ok(Some(Step::End));
        }
        if !open.is_object {
            return self.value().map(Some);
        }
        let name = self.scanner.value()?;
        self.scanner.expect(b':')?;
        self.is_value = true;
        if name.first() == Some(&b'"') { Ok(Some(Step::Name(name))) } else { Err(NotJson.into()) }
    }

    fn value(&mut self) -> Result<Step<'t>, Error> {
        self.is_value = false;
        let is_object = match self.scanner.peek()? {
            b'[' => false,
            b'{' => true,
            _ => return Ok(Step::Scalar(self.scanner.value()?)),
        };
        fallible::reserve_amortised(&mut self.open, 1)?;
        self.open.push(Open { is_object, is_first: true });
        Ok(if is_object { Step::Object } else { Step::Array })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn steps(text: &str) -> Result<String, Error> {
        let mut walk = Walk::new(text.as_bytes());
        let mut seen = String::new();
        while let Some(step) = walk.step()? {
            let (part, after): (&[u8], _) = match step {
                Step::Scalar(text) => (text, " "),
                Step::Array => (b"[", " "),
                Step::Object => (b"{", " "),
                Step::Name(name) => (name, ": "),
                Step::End => (b"end", " "),
            };
            seen += std::str::from_utf8(part).unwrap();
            seen += after;
        }
        Ok(seen)
    }

    #[test]
    fn a_walk_meets_each_value_once() {
        assert_eq!(steps("1").unwrap(), "1 ");
        assert_eq!(
            steps(r#" { "a" : [ 1, {} , [] ], "b]" : "}\"" } "#).unwrap(),
            r#"{ "a": [ 1 { end [ end end "b]": "}\"" end "#
        );
    }

    #[test]
    fn what_is_not_json_ends_the_walk() {
        for text in ["", "[", "[1", "[1 2]", "{a:1}", "{\"a\"}", "{\"a\":", "{\"a\":1", "{1:2}", "{\"a\":1,}"] {
            assert_eq!(steps(text), Err(Error::Broken), "{text}");
        }
    }

    #[test]
    fn depth_takes_no_stack() {
        let text = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(steps(&text).unwrap().len(), 600_000);
    }
}
