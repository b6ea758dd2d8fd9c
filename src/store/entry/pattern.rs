//! A value to compare others with, made from its JSON text in one pass, however deep it is.
//!
//! It lies in a few lists, so making it takes few allocations and freeing it takes no stack. Members of an object keep
//! their order, in which they are found again at once. An object with many has a second list of them by their names,
//! so that finding one takes no longer than the logarithm of their number.

use super::json_walk::{Step, Walk};
use super::text::Text;
use super::value::ValueKind;
use super::view::View;
use crate::store::error::Error;
use crate::store::platform::fallible;

/// Members that are looked at one after the other to find one.
const FEW: usize = 16;

/// A value of JSON.
#[derive(Debug)]
pub struct Pattern {
    root: Node,
    lists: Lists,
}

/// A value in a pattern.
#[derive(Clone, Copy, Debug)]
pub enum Node {
    /// `null`
    Null,
    /// `true` or `false`
    Boolean(bool),
    /// A number.
    Number(f64),
    /// A text.
    Text(Span),
    /// An array.
    Array(Items),
    /// An object.
    Object(u32),
}

/// Where a text is.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    from: u32,
    len: u32,
    /// Whether it is code units, because UTF-8 has no lone surrogates.
    is_wide: bool,
}

/// Values that follow each other.
#[derive(Clone, Copy, Debug)]
pub struct Items {
    from: u32,
    len: u32,
}

#[derive(Clone, Copy, Debug)]
struct Object {
    items: Items,
    /// Where their names are.
    names: u32,
    /// Where their indexes are by name; `None` for few.
    by_name: Option<u32>,
}

#[derive(Debug, Default)]
struct Lists {
    /// Members of arrays and objects, those of each one after the other.
    items: Vec<Node>,
    names: Vec<Span>,
    /// Indexes of members.
    by_name: Vec<u32>,
    objects: Vec<Object>,
    texts: Vec<u8>,
}

/// An array or object whose end has not come: where its members begin among those that wait for such an end.
#[derive(Clone, Copy)]
struct Open {
    is_object: bool,
    values: usize,
    names: usize,
}

impl Pattern {
    /// Of a value as an entry has it; `None` for what is no JSON, or a record.
    pub fn of(kind: ValueKind, bytes: &[u8]) -> Result<Option<Self>, Error> {
        if kind == ValueKind::Json {
            return Self::of_json(bytes).map(Some);
        }
        let mut lists = Lists::default();
        let root = match View::of_bytes(kind, bytes)? {
            View::Other => None,
            scalar => lists.scalar(&scalar)?,
        };
        Ok(root.map(|root| Self { root, lists }))
    }

    /// Of a JSON text.
    pub fn of_json(text: &[u8]) -> Result<Self, Error> {
        let (mut walk, mut lists) = (Walk::new(text), Lists::default());
        // Of all that are open, those of the innermost last.
        let (mut open, mut values, mut names) = (Vec::<Open>::new(), Vec::new(), Vec::new());
        while let Some(step) = walk.step()? {
            let value = match step {
                Step::Array | Step::Object => {
                    let is_object = step == Step::Object;
                    push(&mut open, Open { is_object, values: values.len(), names: names.len() })?;
                    continue;
                }
                Step::Name(name) => {
                    push(&mut names, lists.text(Text::of_json(name).ok_or(Error::Broken)?)?)?;
                    continue;
                }
                Step::Scalar(text) => lists.scalar(&View::of_json(text)?)?.ok_or(Error::Broken)?,
                Step::End => {
                    let Open { is_object, values: first, names: first_name } = open.pop().ok_or(Error::Broken)?;
                    let items = lists.items(&values[first..])?;
                    values.truncate(first);
                    if is_object {
                        let object = lists.object(items, &names[first_name..])?;
                        names.truncate(first_name);
                        object
                    } else {
                        Node::Array(items)
                    }
                }
            };
            push(&mut values, value)?;
        }
        Ok(Self { root: values.pop().ok_or(Error::Broken)?, lists })
    }

    /// The whole value.
    #[must_use]
    pub fn root(&self) -> Node {
        self.root
    }

    /// The text that is there.
    #[must_use]
    pub fn text(&self, span: Span) -> Text<'_> {
        self.lists.text_at(span)
    }

    /// The members of an array.
    #[must_use]
    pub fn array(&self, items: Items) -> &[Node] {
        self.lists.items_at(items)
    }

    /// How many members an object has.
    #[must_use]
    pub fn object_len(&self, object: u32) -> usize {
        self.lists.objects[object as usize].items.len as usize
    }

    /// The member of an object with this name. The one at `likely` is looked at first.
    #[must_use]
    pub fn member(&self, object: u32, name: Text<'_>, likely: usize) -> Option<Node> {
        let lists = &self.lists;
        let Object { items, names, by_name } = lists.objects[object as usize];
        let (len, names) = (items.len as usize, &lists.names[names as usize..]);
        let is_at = |index: usize| lists.text_at(names[index]).is(name);
        let found = if likely < len && is_at(likely) {
            Some(likely)
        } else if let Some(from) = by_name {
            let sorted = &lists.by_name[from as usize..][..len];
            let compare = |index: &u32| lists.text_at(names[*index as usize]).compare(name);
            sorted.binary_search_by(compare).ok().map(|at| sorted[at] as usize)
        } else {
            (0..len).find(|index| is_at(*index))
        };
        found.map(|index| lists.items_at(items)[index])
    }
}

impl Lists {
    fn text_at(&self, Span { from, len, is_wide }: Span) -> Text<'_> {
        let bytes = &self.texts[from as usize..][..len as usize];
        if is_wide { Text::Wide(bytes) } else { Text::Utf8(bytes) }
    }

    fn items_at(&self, Items { from, len }: Items) -> &[Node] {
        &self.items[from as usize..][..len as usize]
    }

    /// The node of a value without members; `None` for any other.
    fn scalar(&mut self, value: &View<'_>) -> Result<Option<Node>, Error> {
        Ok(Some(match *value {
            View::Null => Node::Null,
            View::Boolean(boolean) => Node::Boolean(boolean),
            View::Number(number) => Node::Number(number),
            View::Text(text) => Node::Text(self.text(text)?),
            _ => return Ok(None),
        }))
    }

    fn text(&mut self, text: Text<'_>) -> Result<Span, Error> {
        let from = self.texts.len();
        let mut is_wide = false;
        if let Text::Utf8(bytes) = text {
            extend(&mut self.texts, bytes)?;
        } else {
            let mut encoded = [0; 4];
            for point in text.points() {
                let Some(character) = char::from_u32(point) else {
                    is_wide = true;
                    break;
                };
                extend(&mut self.texts, character.encode_utf8(&mut encoded).as_bytes())?;
            }
        }
        if is_wide {
            self.texts.truncate(from);
            for point in text.points() {
                match char::from_u32(point) {
                    Some(character) => {
                        for unit in character.encode_utf16(&mut [0; 2]) {
                            extend(&mut self.texts, &unit.to_le_bytes())?;
                        }
                    }
                    None => extend(&mut self.texts, &(point as u16).to_le_bytes())?,
                }
            }
        }
        Ok(Span { from: place(from)?, len: place(self.texts.len() - from)?, is_wide })
    }

    fn items(&mut self, values: &[Node]) -> Result<Items, Error> {
        let items = Items { from: place(self.items.len())?, len: place(values.len())? };
        extend(&mut self.items, values)?;
        Ok(items)
    }

    fn object(&mut self, items: Items, names: &[Span]) -> Result<Node, Error> {
        let first = place(self.names.len())?;
        extend(&mut self.names, names)?;
        let mut by_name = None;
        if names.len() > FEW {
            let from = self.by_name.len();
            by_name = Some(place(from)?);
            fallible::reserve_amortised(&mut self.by_name, names.len())?;
            self.by_name.extend(0..items.len);
            let mut sorted = std::mem::take(&mut self.by_name);
            let text = |index: u32| self.text_at(names[index as usize]);
            sorted[from..].sort_unstable_by(|one, other| text(*one).compare(text(*other)));
            self.by_name = sorted;
        }
        let number = place(self.objects.len())?;
        push(&mut self.objects, Object { items, names: first, by_name })?;
        Ok(Node::Object(number))
    }
}

fn place(index: usize) -> Result<u32, Error> {
    u32::try_from(index).map_err(|_| Error::OutOfMemory { bytes: index as u64 })
}

fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), Error> {
    fallible::reserve_amortised(list, 1)?;
    list.push(item);
    Ok(())
}

fn extend<T: Copy>(list: &mut Vec<T>, items: &[T]) -> Result<(), Error> {
    fallible::reserve_amortised(list, items.len())?;
    list.extend_from_slice(items);
    Ok(())
}
