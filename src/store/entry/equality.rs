//! Whether two values are equal, as JSON tells values apart: in whichever way each is stored, and without making it.
//!
//! * Objects are equal with equal members in any order, arrays with equal elements in the same one.
//! * Numbers: as `Map` tells keys apart, so `NaN` is `NaN` and `-0` is `0`. No number equals a bigint.
//! * Texts: by their code units, however they are encoded.
//! * Bytes: of the same kind, with the same content. `undefined` and bigints equal what is the same.
//!
//! One of the two is made ready first ([`Expected`]); the other is gone over once, from its first byte on, and left at
//! the first difference. So the work is bounded by the length of both, and the stack by no value.

use super::fields::{Content, Cursor, Layout, Member};
use super::json_walk::{Step, Walk};
use super::pattern::{Node, Pattern};
use super::text::Text;
use super::value::{Value, ValueKind};
use super::view::View;
use crate::store::error::Error;
use crate::store::platform::fallible;

/// A value that others are compared with. It is made ready when that is needed first: same bytes need nothing.
#[derive(Debug)]
pub struct Expected<'a> {
    value: Value<'a>,
    made: Made,
}

#[derive(Debug)]
enum Made {
    NotYet,
    Pattern(Pattern),
    /// It is what only the same bytes are equal to.
    Nothing,
}

impl<'a> Expected<'a> {
    /// A value that is no record.
    #[must_use]
    pub fn new(value: Value<'a>) -> Self {
        Self { value, made: Made::NotYet }
    }

    /// Whether a value as an entry has it is this one. `layout` is that of a record's shape, `None` for the built-in
    /// one.
    pub fn is(&mut self, kind: ValueKind, bytes: &[u8], layout: Option<&Layout>) -> Result<bool, Error> {
        if kind == self.value.kind && bytes == self.value.bytes {
            return Ok(true);
        }
        if let Made::NotYet = self.made {
            let pattern = Pattern::of(self.value.kind, self.value.bytes)?;
            self.made = pattern.map_or(Made::Nothing, Made::Pattern);
        }
        match &self.made {
            Made::Pattern(pattern) => View::of(kind, bytes, layout, |view| pattern.is(view)),
            _ => Ok(false),
        }
    }
}

/// An array or object of a JSON text that is compared.
#[derive(Clone, Copy)]
struct Open {
    node: Node,
    /// Members that were compared.
    compared: usize,
}

impl Pattern {
    /// Whether a value is this one.
    pub fn is(&self, value: &View<'_>) -> Result<bool, Error> {
        self.node_is(self.root(), value)
    }

    fn node_is(&self, node: Node, value: &View<'_>) -> Result<bool, Error> {
        match (*value, node) {
            (View::Json(text), Node::Array(_) | Node::Object(_)) => self.text_is(node, text),
            (View::Object(layout, mut cursor), _) => self.object_is(node, layout, &mut cursor),
            (View::Rows(layout, mut cursor), _) => self.rows_are(node, layout, &mut cursor),
            (View::Numbers(numbers), Node::Array(items)) => {
                let items = self.array(items);
                let is_it = |(index, item): (usize, &Node)| match numbers.at(index) {
                    Some(field) => View::of_field(field, |value| Ok(self.scalar_is(*item, value))),
                    None => Ok(false),
                };
                Ok(items.len() == numbers.len() && all(items.iter().enumerate(), is_it)?)
            }
            (View::Strings(mut cursor), Node::Array(items)) => {
                let items = self.array(items);
                Ok(items.len() == cursor.string_count()?
                    && all(items.iter(), |item| {
                        View::of_field(cursor.take_string()?, |value| Ok(self.scalar_is(*item, value)))
                    })?)
            }
            (scalar, _) => Ok(self.scalar_is(node, &scalar)),
        }
    }

    fn scalar_is(&self, node: Node, value: &View<'_>) -> bool {
        match (*value, node) {
            (View::Null, Node::Null) => true,
            (View::Boolean(one), Node::Boolean(other)) => one == other,
            #[expect(clippy::float_cmp, reason = "numbers are equal as keys of a `Map` are")]
            (View::Number(one), Node::Number(other)) => one == other || one.is_nan() && other.is_nan(),
            (View::Text(one), Node::Text(other)) => one.is(self.text(other)),
            _ => false,
        }
    }

    /// Whether the fields that follow are this object. Goes down as far as a definition does, which is bounded.
    fn object_is(&self, node: Node, layout: &Layout, cursor: &mut Cursor<'_>) -> Result<bool, Error> {
        let (members, Node::Object(object)) = (layout.members(), node) else { return Ok(false) };
        let is_it = |(index, member): (usize, &Member)| {
            let Some(node) = self.member(object, Text::from(&member.name), index) else { return Ok(false) };
            match &member.content {
                Content::Field => View::of_field(cursor.take()?, |value| self.node_is(node, value)),
                Content::Object(layout) => self.object_is(node, layout, cursor),
                Content::Rows(layout) => self.rows_are(node, layout, cursor),
            }
        };
        Ok(members.len() == self.object_len(object) && all(members.iter().enumerate(), is_it)?)
    }

    fn rows_are(&self, node: Node, layout: &Layout, cursor: &mut Cursor<'_>) -> Result<bool, Error> {
        let Node::Array(items) = node else { return Ok(false) };
        let items = self.array(items);
        Ok(items.len() == cursor.row_count()? && all(items.iter(), |item| self.object_is(*item, layout, cursor))?)
    }

    /// Whether a JSON text is this array or object.
    fn text_is(&self, node: Node, text: &[u8]) -> Result<bool, Error> {
        let mut walk = Walk::new(text);
        let mut open: Vec<Open> = Vec::new();
        // What the next value has to be, if that is known already.
        let mut expected = Some(node);
        while let Some(step) = walk.step()? {
            if step == Step::End {
                match open.pop() {
                    Some(Open { node, compared }) if compared == self.len(node) => continue,
                    _ => return Ok(false),
                }
            }
            let next = expected.take().or_else(|| self.next(open.last_mut(), step));
            let Some(node) = next else { return Ok(false) };
            match (step, node) {
                (Step::Name(_), _) => expected = Some(node),
                (Step::Array, Node::Array(_)) | (Step::Object, Node::Object(_)) => {
                    fallible::reserve_amortised(&mut open, 1)?;
                    open.push(Open { node, compared: 0 });
                }
                (Step::Scalar(text), _) if self.scalar_is(node, &View::of_json(text)?) => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// What the next member of an array or object has to be; `None` if there is none.
    fn next(&self, open: Option<&mut Open>, step: Step<'_>) -> Option<Node> {
        let Open { node, compared } = open?;
        let index = *compared;
        *compared += 1;
        match (*node, step) {
            (Node::Object(object), Step::Name(name)) => self.member(object, Text::of_json(name)?, index),
            (Node::Array(items), _) => self.array(items).get(index).copied(),
            _ => None,
        }
    }

    fn len(&self, node: Node) -> usize {
        match node {
            Node::Array(items) => self.array(items).len(),
            Node::Object(object) => self.object_len(object),
            _ => 0,
        }
    }
}

/// Whether something holds for all items, up to the first for which it does not.
fn all<T>(items: impl Iterator<Item = T>, mut holds: impl FnMut(T) -> Result<bool, Error>) -> Result<bool, Error> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(all(test, not(loom)))]
mod tests;
