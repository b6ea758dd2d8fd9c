//! What the definitions of shapes say, for reading fields natively. `lib/codec/shape-tree.js` makes them: a JSON text
//! of the members, each a name, or the name and the members of an object, or the same and `1` for rows.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use super::json_text::{NotJson, Scanner, unescaped};
use crate::store::fields::{Content, Layout, Member};

/// Bytes of all definitions that are kept parsed at a time. Numbers are not assigned twice, so those of shapes that
/// went would stay.
const MOST_BYTES: usize = 1 << 20;

/// Objects inside each other in a definition. JavaScript makes none that is deeper than 24.
const MAX_DEPTH: usize = 64;

/// The layouts of the shapes that fields were read of, in one open map.
#[derive(Default)]
pub struct Layouts {
    known: RefCell<HashMap<u32, Rc<Layout>>>,
    bytes: Cell<usize>,
}

impl Layouts {
    /// That of a number, if it is known here.
    pub fn get(&self, number: u32) -> Option<Rc<Layout>> {
        self.known.borrow().get(&number).cloned()
    }

    /// Adds what a definition says.
    pub fn add(&self, number: u32, definition: &str) -> Result<Rc<Layout>, NotJson> {
        let layout = Rc::new(parse(definition)?);
        let bytes = self.bytes.get() + definition.len();
        let mut known = self.known.borrow_mut();
        if bytes > MOST_BYTES {
            known.clear();
            self.bytes.set(definition.len());
        } else {
            self.bytes.set(bytes);
        }
        known.insert(number, Rc::clone(&layout));
        Ok(layout)
    }
}

/// The layout that a definition says.
fn parse(definition: &str) -> Result<Layout, NotJson> {
    members(&mut Scanner::new(definition.as_bytes()), MAX_DEPTH)
}

fn members(scanner: &mut Scanner<'_>, depth: usize) -> Result<Layout, NotJson> {
    let depth = depth.checked_sub(1).ok_or(NotJson)?;
    let (mut members, mut is_first) = (Vec::new(), true);
    start_of_array(scanner)?;
    while scanner.has_next(b']', &mut is_first)? {
        members.push(member(scanner, depth)?);
    }
    Ok(Layout::new(members))
}

fn member(scanner: &mut Scanner<'_>, depth: usize) -> Result<Member, NotJson> {
    if scanner.peek()? == b'"' {
        return Ok(Member { name: name(scanner)?, content: Content::Field });
    }
    start_of_array(scanner)?;
    let mut is_first = true;
    let mut goes_on = || scanner.has_next(b']', &mut is_first);
    if !goes_on()? {
        return Err(NotJson);
    }
    let name = name(scanner)?;
    if !scanner.has_next(b']', &mut is_first)? {
        return Err(NotJson);
    }
    let inner = members(scanner, depth)?;
    let is_rows = scanner.has_next(b']', &mut is_first)?;
    if is_rows && (scanner.value()? != b"1" || scanner.has_next(b']', &mut is_first)?) {
        return Err(NotJson);
    }
    Ok(Member { name, content: if is_rows { Content::Rows(inner) } else { Content::Object(inner) } })
}

fn start_of_array(scanner: &mut Scanner<'_>) -> Result<(), NotJson> {
    if scanner.peek()? == b'[' { Ok(()) } else { Err(NotJson) }
}

/// A name; `None` if it has lone surrogates, which no pointer has that comes here.
fn name(scanner: &mut Scanner<'_>) -> Result<Option<Box<[u8]>>, NotJson> {
    let quoted = scanner.value()?;
    if quoted.first() != Some(&b'"') {
        return Err(NotJson);
    }
    Ok(unescaped(quoted).map(|name| name.into_bytes().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_lists_members() {
        let layout = parse(r#"["host",["at",["x","\"\ud83d\ude00"]],["rows",["id",["in",[]]],1],"\ud800"]"#).unwrap();
        let names = |name: &str| Some(name.as_bytes().into());
        let expected = Layout::new(vec![
            Member { name: names("host"), content: Content::Field },
            Member {
                name: names("at"),
                content: Content::Object(Layout::new(vec![
                    Member { name: names("x"), content: Content::Field },
                    Member { name: names("\"😀"), content: Content::Field },
                ])),
            },
            Member {
                name: names("rows"),
                content: Content::Rows(Layout::new(vec![
                    Member { name: names("id"), content: Content::Field },
                    Member { name: names("in"), content: Content::Object(Layout::new(vec![])) },
                ])),
            },
            Member { name: None, content: Content::Field },
        ]);
        assert_eq!(format!("{layout:?}"), format!("{expected:?}"));
    }

    #[test]
    fn another_text_is_no_definition() {
        for text in [
            "",
            "{}",
            "[",
            "[1]",
            "[[]]",
            r#"["a"#,
            r#"[["a"]]"#,
            r#"[["a",[],2]]"#,
            r#"[["a",[],1,1]]"#,
            r#"[["a","b"]]"#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
        let deep = |depth| format!("{}{}", r#"[["a","#.repeat(depth), "[]".to_owned() + &"]]".repeat(depth));
        assert!(parse(&deep(MAX_DEPTH - 1)).is_ok());
        assert!(parse(&deep(MAX_DEPTH)).is_err());
    }

    #[test]
    fn what_is_known_is_bounded() {
        let layouts = Layouts::default();
        let long = format!("[\"{}\"]", "x".repeat(8_000));
        for number in 0..1_000 {
            layouts.add(number, &long).unwrap();
        }
        assert!(layouts.known.borrow().len() * long.len() <= MOST_BYTES);
        assert!(layouts.get(999).is_some());
        assert!(layouts.get(0).is_none());
    }
}
