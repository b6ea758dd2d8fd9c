//! The evaluations of one environment, found by their ids.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::{Rc, Weak};

use crate::binding::failure::{Failure, Outcome};

/// Ids that an evaluation gets at a time. A program that opens a map for each request uses them up, one that evaluates
/// the package for each test file hardly touches them; there are a million blocks for both.
const BLOCK: u32 = 4_096;

/// The list of them. It keeps none of them alive.
pub struct Roster<E> {
    /// Whose ids they are, block by block, from BLOCK on.
    blocks: RefCell<Vec<Weak<E>>>,
}

impl<E> Default for Roster<E> {
    fn default() -> Self {
        Roster { blocks: RefCell::default() }
    }
}

impl<E> Roster<E> {
    /// Adds an evaluation, made with its new ids.
    pub fn add(&self, make: impl FnOnce(Range<u32>) -> E) -> Outcome<Rc<E>> {
        let evaluation = Rc::new(make(self.next_ids()?));
        self.blocks.borrow_mut().push(Rc::downgrade(&evaluation));
        Ok(evaluation)
    }

    fn next_ids(&self) -> Outcome<Range<u32>> {
        let block = u32::try_from(self.blocks.borrow().len() + 1).ok();
        let start = block.and_then(|block| block.checked_mul(BLOCK));
        let end = start.and_then(|start| start.checked_add(BLOCK));
        start.zip(end).map(|(start, end)| start..end).ok_or(Failure::Misuse("all ids are used up"))
    }

    /// More ids for an evaluation.
    pub fn more_ids(&self, evaluation: &Rc<E>) -> Outcome<Range<u32>> {
        let ids = self.next_ids()?;
        self.blocks.borrow_mut().push(Rc::downgrade(evaluation));
        Ok(ids)
    }

    /// The evaluation that has this id.
    pub fn find(&self, id: u32) -> Option<Rc<E>> {
        let block = (id / BLOCK).checked_sub(1)?;
        self.blocks.borrow().get(block as usize)?.upgrade()
    }

    /// All that can still be reached, once for each block of ids.
    pub fn all(&self) -> Vec<Rc<E>> {
        self.blocks.borrow().iter().filter_map(Weak::upgrade).collect()
    }

    /// Forgets an evaluation that is gone, whose memory would otherwise stay allocated.
    pub fn remove(&self, evaluation: *const E) {
        for block in self.blocks.borrow_mut().iter_mut().filter(|block| block.as_ptr() == evaluation) {
            *block = Weak::new();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_of_a_block_finds_its_evaluation() {
        let roster = Roster::default();
        let [first, second] = [(); 2].map(|()| roster.add(|ids| ids).unwrap());
        assert_eq!(*first, BLOCK..2 * BLOCK);
        assert_eq!(*second, 2 * BLOCK..3 * BLOCK);
        let more = roster.more_ids(&first).unwrap();
        for (ids, evaluation) in [((*first).clone(), &first), ((*second).clone(), &second), (more, &first)] {
            assert!([ids.start, ids.end - 1].into_iter().all(|id| Rc::ptr_eq(&roster.find(id).unwrap(), evaluation)));
        }
        assert!(roster.find(0).is_none() && roster.find(BLOCK - 1).is_none() && roster.find(4 * BLOCK).is_none());
    }

    #[test]
    fn what_is_gone_is_not_found_and_keeps_no_memory() {
        let roster = Roster::default();
        let evaluation = roster.add(|ids| ids).unwrap();
        let (gone, id) = (Rc::downgrade(&evaluation), evaluation.start);
        roster.remove(Rc::as_ptr(&evaluation));
        drop(evaluation);
        assert_eq!(gone.strong_count(), 0);
        assert!(roster.find(id).is_none() && roster.all().is_empty());
        assert!(roster.blocks.borrow().iter().all(|block| block.as_ptr() == Weak::new().as_ptr()));
    }
}
