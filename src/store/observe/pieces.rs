//! A queue in pieces: it grows by one piece at a time, so what waits is never copied, and a lock under which it grows
//! is not held for that.

use std::collections::VecDeque;

use crate::store::platform::fallible;

/// Items of a piece: some 30 KB of removals.
const PIECE: usize = 256;

/// First in, first out.
#[derive(Debug)]
pub struct Pieces<T> {
    /// None is empty.
    pieces: VecDeque<VecDeque<T>>,
}

impl<T> Default for Pieces<T> {
    fn default() -> Self {
        Self { pieces: VecDeque::new() }
    }
}

impl<T> Pieces<T> {
    /// Adds an item, or returns it if there is no memory.
    pub fn push(&mut self, item: T) -> Result<(), T> {
        if let Some(last) = self.pieces.back_mut().filter(|last| last.len() < PIECE) {
            last.push_back(item);
            return Ok(());
        }
        let mut piece = VecDeque::new();
        let is_granted = fallible::grant(PIECE * size_of::<T>()).is_ok();
        if !is_granted || piece.try_reserve_exact(PIECE).is_err() || self.pieces.try_reserve(1).is_err() {
            return Err(item);
        }
        piece.push_back(item);
        self.pieces.push_back(piece);
        Ok(())
    }

    /// Takes the oldest item out.
    pub fn pop(&mut self) -> Option<T> {
        let first = self.pieces.front_mut()?;
        let item = first.pop_front();
        if first.is_empty() {
            self.pieces.pop_front();
        }
        item
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn items_come_out_in_order_and_pieces_go_when_they_are_empty() {
        let mut pieces = Pieces::default();
        let (mut pushed, mut popped) = (0, 0);
        for round in 0..20 {
            for _ in 0..round * 100 {
                assert_eq!(pieces.push(pushed), Ok(()));
                pushed += 1;
            }
            for _ in 0..round * 90 {
                assert_eq!(pieces.pop(), Some(popped));
                popped += 1;
            }
            assert!(pieces.pieces.len() <= (pushed - popped) / PIECE + 2);
        }
        while let Some(item) = pieces.pop() {
            assert_eq!(item, popped);
            popped += 1;
        }
        assert!(popped == pushed && pieces.pieces.is_empty());
    }
}
