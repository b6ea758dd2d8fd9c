//! Doubly linked lists over slot numbers.
//!
//! ```text
//! chunks ─▶ nodes of slots 0…1,023 │ 1,024…2,047 │ …      node: newer (32) · older (32) · note (32)
//! ```
//!
//! A slot is in one list at most, so one node per slot serves all lists of a policy, and a list is two ends and a
//! length. The note is the policy's: which list, how often. Nodes stand in chunks of 1,024 slots, so that growing
//! never moves more than one chunk's; a chunk without entries holds no memory. 12 bytes per entry, as long as slots
//! are used densely, which the slab sees to by reusing them.

use super::super::error::Error;
use crate::store::memory::budget::{Memory, Reservation, Use};
use crate::store::platform::fallible;
use crate::store::platform::sync::Arc;

/// No slot.
pub const NONE: u32 = u32::MAX;

const CHUNK_SLOTS: usize = 1_024;
/// Nodes of a chunk to begin with, so that a small map stays small. Doubled up to [`CHUNK_SLOTS`].
const FIRST_SLOTS: usize = 32;

#[derive(Clone, Copy, Debug)]
struct Node {
    newer: u32,
    older: u32,
    note: u32,
}

const VACANT: Node = Node { newer: NONE, older: NONE, note: 0 };

#[derive(Debug, Default)]
struct Chunk {
    /// Nodes of the first slots of this chunk.
    nodes: Box<[Node]>,
    /// Slots in use. Without any there are no nodes, unless room was made for the first.
    live: usize,
}

/// The nodes of one policy.
#[derive(Debug)]
pub struct Links {
    chunks: Vec<Chunk>,
    held: Reservation,
}

/// A list from its newest slot to its oldest.
#[derive(Clone, Copy, Debug)]
pub struct List {
    newest: u32,
    oldest: u32,
    len: usize,
}

impl Links {
    /// No slot is known.
    pub fn new(memory: &Arc<Memory>) -> Self {
        Self { chunks: Vec::new(), held: Reservation::empty(memory, Use::Policy) }
    }

    /// Makes a node for `slot`, which has none. It is in no list, and its note is 0.
    pub fn add(&mut self, slot: u32) -> Result<(), Error> {
        self.make_room(slot)?;
        let (index, offset) = locate(slot);
        let chunk = &mut self.chunks[index];
        chunk.live += 1;
        chunk.nodes[offset] = VACANT;
        Ok(())
    }

    /// Makes sure that [`Links::add`] finds room for `slot`.
    #[inline]
    pub fn make_room(&mut self, slot: u32) -> Result<(), Error> {
        let (index, offset) = locate(slot);
        if index >= self.chunks.len() {
            self.add_chunks(index + 1)?;
        }
        let chunk = &mut self.chunks[index];
        if offset >= chunk.nodes.len() {
            let len = (offset + 1).next_power_of_two().max(FIRST_SLOTS);
            grow(&mut chunk.nodes, len, &mut self.held)?;
        }
        Ok(())
    }

    /// Forgets `slot`, which is in no list.
    pub fn forget(&mut self, slot: u32) {
        let chunk = &mut self.chunks[locate(slot).0];
        chunk.live -= 1;
        if chunk.live == 0 {
            let nodes_bytes = size_of_val(&*chunk.nodes);
            chunk.nodes = Box::default();
            self.held.shrink(nodes_bytes);
        }
    }

    /// The policy's note about `slot`.
    #[inline]
    pub fn note(&self, slot: u32) -> u32 {
        self.node(slot).note
    }

    /// Stores another note.
    #[inline]
    pub fn set_note(&mut self, slot: u32, note: u32) {
        self.node_mut(slot).note = note;
    }

    /// The slot after `slot` on the way to the newest, or [`NONE`].
    #[inline]
    pub fn newer(&self, slot: u32) -> u32 {
        self.node(slot).newer
    }

    /// Whether `slot` has a node, and its neighbours know it.
    pub fn has(&self, slot: u32) -> bool {
        let node = |slot: u32| {
            let (index, offset) = locate(slot);
            self.chunks.get(index).and_then(|chunk| chunk.nodes.get(offset))
        };
        node(slot).is_some_and(|found| {
            (found.newer == NONE || node(found.newer).is_some_and(|newer| newer.older == slot))
                && (found.older == NONE || node(found.older).is_some_and(|older| older.newer == slot))
        })
    }

    /// Bytes of its nodes and of what finds them.
    pub fn bytes(&self) -> usize {
        let nodes_bytes: usize = self.chunks.iter().map(|chunk| size_of_val(&*chunk.nodes)).sum();
        nodes_bytes + self.chunks.capacity() * size_of::<Chunk>()
    }

    #[inline]
    fn node(&self, slot: u32) -> &Node {
        let (index, offset) = locate(slot);
        &self.chunks[index].nodes[offset]
    }

    #[inline]
    fn node_mut(&mut self, slot: u32) -> &mut Node {
        let (index, offset) = locate(slot);
        &mut self.chunks[index].nodes[offset]
    }

    #[cold]
    fn add_chunks(&mut self, len: usize) -> Result<(), Error> {
        if len > self.chunks.capacity() {
            let room = len.next_power_of_two();
            let bytes = room * size_of::<Chunk>();
            self.held.grow(bytes)?;
            let mut chunks = fallible::vec(room).inspect_err(|_| self.held.shrink(bytes))?;
            chunks.append(&mut self.chunks);
            let outgrown_bytes = self.chunks.capacity() * size_of::<Chunk>();
            self.chunks = chunks;
            self.held.shrink(outgrown_bytes);
        }
        self.chunks.resize_with(len, Chunk::default);
        Ok(())
    }
}

#[inline]
fn locate(slot: u32) -> (usize, usize) {
    (slot as usize / CHUNK_SLOTS, slot as usize % CHUNK_SLOTS)
}

#[cold]
fn grow(nodes: &mut Box<[Node]>, len: usize, held: &mut Reservation) -> Result<(), Error> {
    let bytes = len * size_of::<Node>();
    held.grow(bytes)?;
    let mut grown = fallible::vec(len).inspect_err(|_| held.shrink(bytes))?;
    grown.extend_from_slice(nodes);
    grown.resize(len, VACANT);
    let outgrown_bytes = size_of_val(&**nodes);
    *nodes = grown.into_boxed_slice();
    held.shrink(outgrown_bytes);
    Ok(())
}

impl Default for List {
    fn default() -> Self {
        Self { newest: NONE, oldest: NONE, len: 0 }
    }
}

impl List {
    /// How many slots.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The slot that came first.
    pub fn oldest(&self) -> Option<u32> {
        (self.oldest != NONE).then_some(self.oldest)
    }

    /// Adds `slot`, which has a node and is in no list.
    #[inline]
    pub fn push(&mut self, links: &mut Links, slot: u32) {
        let node = links.node_mut(slot);
        (node.newer, node.older) = (NONE, self.newest);
        if self.newest == NONE {
            self.oldest = slot;
        } else {
            links.node_mut(self.newest).newer = slot;
        }
        self.newest = slot;
        self.len += 1;
    }

    /// Takes `slot` out; it is in this list.
    #[inline]
    pub fn remove(&mut self, links: &mut Links, slot: u32) {
        let Node { newer, older, .. } = *links.node(slot);
        if newer == NONE {
            self.newest = older;
        } else {
            links.node_mut(newer).older = older;
        }
        if older == NONE {
            self.oldest = newer;
        } else {
            links.node_mut(older).newer = newer;
        }
        self.len -= 1;
    }

    /// Makes `slot`, which is in this list, its newest.
    #[inline]
    pub fn renew(&mut self, links: &mut Links, slot: u32) {
        if self.newest != slot {
            self.remove(links, slot);
            self.push(links, slot);
        }
    }

    /// From the oldest to the newest.
    pub fn iter<'a>(&self, links: &'a Links) -> impl Iterator<Item = u32> + use<'a> {
        std::iter::successors(self.oldest(), |&slot| Some(links.newer(slot)).filter(|&newer| newer != NONE))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn lists_share_nodes_and_give_them_back() {
        let memory = Arc::new(Memory::new(None));
        let mut links = Links::new(&memory);
        let (mut even, mut odd) = (List::default(), List::default());
        for slot in 0..3_000 {
            links.add(slot).unwrap();
            if slot % 2 == 0 { even.push(&mut links, slot) } else { odd.push(&mut links, slot) }
        }
        even.remove(&mut links, 0);
        even.remove(&mut links, 1_000);
        odd.renew(&mut links, 1);
        assert_eq!((even.len(), even.oldest(), odd.oldest()), (1_498, Some(2), Some(3)));
        assert_eq!(odd.iter(&links).last(), Some(1));
        let expected: Vec<u32> = (2..3_000).step_by(2).filter(|&slot| slot != 1_000).collect();
        assert_eq!(even.iter(&links).collect::<Vec<_>>(), expected);

        let per_entry = memory.used(Use::Policy) as f64 / 3_000.0;
        assert!(per_entry < 13.0, "{per_entry}");
        for slot in (0..3_000).rev() {
            links.forget(slot);
        }
        assert!(memory.used(Use::Policy) < 200, "only the directory is left");
        drop(links);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_refused_node_changes_nothing() {
        let memory = Arc::new(Memory::new(Some(1_000)));
        let mut links = Links::new(&memory);
        for slot in 0..32 {
            links.add(slot).unwrap();
        }
        let used_bytes = memory.total();
        assert!(matches!(links.add(32), Err(Error::MemoryLimit { .. })));
        assert!(matches!(links.add(500_000), Err(Error::MemoryLimit { .. })));
        assert_eq!(memory.total(), used_bytes);
        for slot in 0..32 {
            links.forget(slot);
        }
        drop(links);
        assert_eq!(memory.total(), 0);
    }
}
