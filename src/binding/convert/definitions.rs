//! What the definitions of shapes say, kept for reading fields natively.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use crate::store::definition;
use crate::store::fields::Layout;
use crate::store::json_text::NotJson;

/// Bytes of all definitions that are kept parsed at a time. Numbers are not assigned twice, so those of shapes that
/// went would stay.
const MOST_BYTES: usize = 1 << 20;

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
        let layout = Rc::new(definition::parse(definition)?);
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

#[cfg(test)]
mod tests {
    use super::*;

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
