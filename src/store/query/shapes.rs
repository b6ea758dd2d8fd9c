//! What shapes mean, as far as a query has learnt it, and where in their records its tests find what they ask about.

use std::cell::Cell;

use super::parse::Where;
use crate::store::entry::fields::Layout;
use crate::store::entry::fields::route::Route;

/// Shapes by their numbers.
#[derive(Debug, Default)]
pub struct Shapes {
    /// In the order of their numbers.
    known: Vec<(u32, Known)>,
    /// The place of the one that was asked for last: most records are of the shape of the one before.
    last: Cell<usize>,
}

/// What is known of a shape.
#[derive(Debug)]
pub struct Known {
    /// Its members.
    pub layout: Layout,
    /// Where each test leads to, by its number.
    routes: Box<[Route]>,
}

impl Known {
    /// Where a test leads to in a record.
    #[inline]
    pub fn route(&self, test: usize) -> Route {
        self.routes.get(test).copied().unwrap_or(Route::Varying)
    }
}

impl Shapes {
    /// A shape, if it is known.
    #[inline]
    pub fn get(&self, number: u32) -> Option<&Known> {
        match self.known.get(self.last.get()) {
            Some((last, known)) if *last == number => Some(known),
            _ => self.look_up(number),
        }
    }

    fn look_up(&self, number: u32) -> Option<&Known> {
        let at = self.known.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.last.set(at);
        Some(&self.known[at].1)
    }

    /// Adds one, for a query with this condition.
    pub fn add(&mut self, number: u32, layout: Layout, condition: Option<&Where>) {
        let mut routes = Vec::new();
        if let Some(condition) = condition {
            condition.each_pointer(&mut |pointer| routes.push(layout.route(pointer)));
        }
        let known = Known { layout, routes: routes.into() };
        match self.known.binary_search_by_key(&number, |(number, _)| *number) {
            Ok(at) => self.known[at].1 = known,
            Err(at) => self.known.insert(at, (number, known)),
        }
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.known.clear();
    }
}
