//! Deletions by queries, which are jobs of other threads: they come to each entry at a moment of its own, and delete
//! only the value that was asked for.

use super::thread::Thread;
use super::*;

struct Silent;

impl Wake for Silent {
    fn wake(&self) {}
}

impl Thread<'_> {
    /// Deletes one of the keys by a prefix that no other has, or the counter if it is what this thread has seen last.
    pub fn delete_by_query(&mut self) {
        let key = self.random.below(KEYS as u64) as usize;
        if key == COUNTER && self.random.below(2) == 0 {
            let number = self.seen[COUNTER];
            let text = format!(r#"{{"key":"{}","where":{{"":{number}}}}}"#, self.names[COUNTER]);
            let query = Query::parse(text.as_bytes()).unwrap();
            return self.delete_what(COUNTER, query, Saw::Value(number), Saw::NotValue(number));
        }
        let query = Query::of_prefix(self.map.store(), Key::string(&self.names[key])).unwrap();
        self.delete_what(key, query, Saw::Present, Saw::Absent);
    }

    /// Deletes what a query asks for. `some` is what a deletion says of the entry that it met, `none` what is known if
    /// there was none.
    fn delete_what(&mut self, key: usize, query: Query, some: Saw, none: Saw) {
        let start = self.start();
        let answer = ask(self.map.store(), query, None, Task::Delete, Arc::new(Silent)).map(|inquiry| {
            loop {
                match inquiry.take() {
                    Ok(None) => std::thread::yield_now(),
                    answer => break answer.map(Option::unwrap),
                }
            }
        });
        let end = self.end();
        let mut push = |saw, does| self.recorded.keys[key].push((Operation { start, end, saw, does }, None));
        match answer {
            Ok(Ok(Answer { found: 0, .. })) => push(none, Does::Nothing),
            // It may come to a key again that others have deleted and set anew meanwhile.
            Ok(Ok(Answer { found, .. })) => (0..found).for_each(|_| push(some, Does::Delete)),
            Err(Error::Closed) => self.recorded.closed.push((start, end)),
            // The map was destroyed while it was under way: it has deleted, or not.
            Ok(Err(Error::Closed)) => {
                push(Saw::Anything, Does::Delete);
                self.recorded.closed.push((start, end));
            }
            Ok(Err(error)) | Err(error) => panic!("{error}"),
        }
    }
}
