//! Transactions under way, by number.

use std::collections::HashMap;

use crate::store::Transaction;

/// All of one open map.
#[derive(Default)]
pub struct Transactions {
    /// The one that was asked for last: mostly it is the only one.
    last: Option<(u32, Transaction)>,
    others: HashMap<u32, Transaction>,
    /// One that has ended, whose memory the next one uses.
    ended: Option<Transaction>,
}

impl Transactions {
    /// The transaction of a number, which begins with its first use.
    pub fn of(&mut self, number: u32) -> &mut Transaction {
        if self.last.as_ref().is_none_or(|(last, _)| *last != number) {
            let known = if self.others.is_empty() { None } else { self.others.remove(&number) };
            let one = known.or_else(|| self.ended.take()).unwrap_or_default();
            if let Some((before, other)) = self.last.replace((number, one)) {
                self.others.insert(before, other);
            }
        }
        &mut self.last.get_or_insert_with(|| (number, Transaction::default())).1
    }

    /// Forgets one.
    pub fn end(&mut self, number: u32) {
        match self.last.take_if(|(last, _)| *last == number) {
            Some((_, mut ended)) => {
                ended.clear();
                self.ended = Some(ended);
            }
            None => drop(self.others.remove(&number)),
        }
    }
}
