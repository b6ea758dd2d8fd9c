use super::*;
use crate::store::entry::held::Held;
use crate::store::memory::budget::Use;
use crate::store::platform::sync::Arc;

/// Lengths of keys and values around all limits: of a word that is compared, of classes of blocks, of the bits of a
/// length, of what an arena has blocks for.
const LENGTHS: [usize; 18] = [0, 1, 4, 7, 8, 9, 16, 17, 88, 92, 255, 1_024, 2_035, 2_036, 2_047, 2_048, 4_096, 70_000];

const TYPE_IDS: [u32; 3] = [0, 9, u32::MAX];

/// What an entry is made of.
#[derive(Clone, Copy, Debug)]
struct Content<'a> {
    key: Key<'a>,
    value: Value<'a>,
    type_id: u32,
}

impl Content<'_> {
    /// Its bytes, as the head of `block.rs` draws them.
    fn naive(&self) -> Vec<u8> {
        let mut bits = Vec::new();
        let mut words = Vec::new();
        let mut put = |number: usize, count: usize| bits.extend((0..count).map(|bit| number >> bit & 1 == 1));
        let (key_len, value_len) = (self.key.len(), self.value.bytes.len());
        if self.small_bytes() <= MAX_BLOCK_BYTES {
            put(self.key.kind() as usize, 4);
            put(key_len, 11);
            put(value_len, 11);
        } else {
            put(15, 4);
            put(self.key.kind() as usize, 4);
            put(0, 18);
            words.extend([key_len as u32, value_len as u32, 1]);
        }
        put(self.value.kind as usize, 5);
        put(usize::from(self.type_id != 0), 1);
        let head = bits.iter().rev().fold(0, |head, &bit| head << 1 | u32::from(bit));
        words.insert(0, head);
        words.extend((self.type_id != 0).then_some(self.type_id));
        let header = words.into_iter().flat_map(u32::to_ne_bytes);
        header.chain(self.key.bytes().iter().chain(self.value.bytes).copied()).collect()
    }

    /// What it takes if its header is that of a small entry.
    fn small_bytes(&self) -> usize {
        4 + if self.type_id == 0 { 0 } else { 4 } + self.key.len() + self.value.bytes.len()
    }
}

fn value_kinds() -> impl Iterator<Item = ValueKind> + Clone {
    (0..=u8::MAX).filter_map(ValueKind::from_number)
}

/// Whatever differs from a key in its kind, in its length or in a byte, also in such ways that bits of its length
/// could be taken for others.
fn other_keys(key: Key<'_>) -> Vec<(KeyKind, Vec<u8>)> {
    let bytes = key.bytes();
    let mut others: Vec<_> =
        KeyKind::ALL.into_iter().filter(|&kind| kind != key.kind()).map(|kind| (kind, bytes.to_vec())).collect();
    for longer in [1, 1 << LEN_BITS, 1 << (LEN_BITS + 1)] {
        others.push((key.kind(), [bytes, &vec![7; longer]].concat()));
        others.extend(bytes.get(..bytes.len().wrapping_sub(longer)).map(|shorter| (key.kind(), shorter.to_vec())));
    }
    for at in [0, bytes.len() / 2, bytes.len().saturating_sub(1)].into_iter().filter(|&at| at < bytes.len()) {
        let mut other = bytes.to_vec();
        other[at] ^= 1;
        others.push((key.kind(), other));
    }
    others
}

fn check(entry: Entry, content: Content<'_>) {
    let Content { key, value, type_id } = content;
    let naive = content.naive();
    assert_eq!(entry.size(), naive.len());
    // SAFETY: an entry of this size.
    assert_eq!(unsafe { std::slice::from_raw_parts(entry.as_ptr(), entry.size()) }, naive);
    assert_eq!(entry.is_large(), naive.len() > MAX_BLOCK_BYTES);
    assert_eq!(weight_bytes(key, value, type_id), entry.weight_bytes());
    assert_eq!(entry.large_bytes(), if naive.len() > MAX_BLOCK_BYTES { entry.weight_bytes() } else { 0 });
    assert!(entry.is_in_place());
    assert_eq!((entry.key(), entry.value_kind(), entry.type_id()), (key, value.kind, type_id));
    assert_eq!((entry.value_len(), entry.value_bytes()), (value.bytes.len(), value.bytes));
    assert_eq!((entry.is_record(), entry.shape()), (value.is_record(), value.shape()));
    assert!(entry.has_key(key));
}

/// Property: for all kinds, lengths around all limits, typed or not, an entry is byte for byte what its drawing says,
/// and gives back what was written; so does its copy. It has its own key and no other.
#[test]
fn an_entry_is_what_the_naive_encoding_says() {
    let memory = Arc::new(Memory::new(None));
    let mut arena = Arena::new(&memory);
    let bytes: Vec<u8> = (0..80_000_u32).map(|n| ((n * 31) >> 3) as u8 | 1).collect();
    let mut kinds = value_kinds().cycle();
    for key_len in LENGTHS {
        for type_id in TYPE_IDS {
            let rest = (MAX_BLOCK_BYTES - 8).saturating_sub(key_len);
            // So long that the entry just fits into a block of an arena, with the word of a type and without.
            let fitting = [rest.saturating_sub(1), rest, rest + 1, rest + 3, rest + 4, rest + 5];
            for value_len in LENGTHS.into_iter().chain(fitting) {
                for (n, key_kind) in KeyKind::ALL.into_iter().enumerate() {
                    let key = Key::new(key_kind, &bytes[n..n + key_len]);
                    let kind = kinds.next().unwrap();
                    let value = Value { kind, bytes: &bytes[5_000..5_000 + value_len] };
                    let content = Content { key, value, type_id };
                    let mut prepared = Prepared::new(key, value, type_id, &memory).unwrap();
                    assert_eq!(prepared.is_some(), content.small_bytes() > MAX_BLOCK_BYTES);
                    let entry = Entry::alloc(key, value, type_id, &mut prepared, &mut arena).unwrap();
                    check(entry, content);
                    if !entry.is_large() {
                        let copy = entry.copy(&mut arena).unwrap();
                        check(copy, content);
                        // SAFETY: made above with this arena, read by no other thread.
                        unsafe { copy.free(&mut arena, &memory) };
                    }
                    // SAFETY: as above.
                    unsafe { entry.free(&mut arena, &memory) };
                }
            }
        }
    }
    drop(arena);
    assert_eq!(memory.total(), 0);
}

#[test]
fn an_entry_has_its_own_key_and_no_other() {
    let memory = Arc::new(Memory::new(None));
    let mut arena = Arena::new(&memory);
    let bytes = vec![b'x'; 70_000];
    for key_len in LENGTHS {
        for value_len in [0, 3, 70_000] {
            for (n, key_kind) in KeyKind::ALL.into_iter().enumerate() {
                let key = Key::new(key_kind, &bytes[..key_len]);
                let value = Value { kind: ValueKind::String, bytes: &bytes[..value_len] };
                let type_id = (n as u32) & 1;
                let mut prepared = Prepared::new(key, value, type_id, &memory).unwrap();
                let entry = Entry::alloc(key, value, type_id, &mut prepared, &mut arena).unwrap();
                assert!(entry.has_key(key));
                for (kind, bytes) in other_keys(key) {
                    let other = Key::new(kind, &bytes);
                    assert!(!entry.has_key(other), "{:?} of {key_len} bytes, {kind:?} of {}", key_kind, bytes.len());
                }
                // SAFETY: made above with this arena, read by no other thread.
                unsafe { entry.free(&mut arena, &memory) };
            }
        }
    }
}

/// Lengths of keys are compared as a whole: one whose low bits are those of the entry's key would have what follows the
/// entry in memory compared as well, here with success.
#[test]
fn a_key_of_another_length_is_not_compared_beyond_the_entry() {
    let bytes = [b'x'; 4 << LEN_BITS];
    let mut room = vec![u32::from_ne_bytes([b'x'; 4]); bytes.len()];
    for key_len in [0, 5, 2_000] {
        let key = Key::new(KeyKind::String, &bytes[..key_len]);
        let block = NonNull::from(room.as_mut_slice()).cast();
        // SAFETY: the entry fits into this room, which is aligned to 4 and ours.
        let entry = unsafe { Entry::write_small(block, key, Value::json(""), 0) };
        assert!(entry.has_key(key));
        for other_len in [1, 2, 3].map(|more| key_len + (more << LEN_BITS)) {
            assert!(!entry.has_key(Key::new(KeyKind::String, &bytes[..other_len])), "{other_len} for {key_len} bytes");
        }
    }
}

/// A header that was damaged must not lead the look at it astray.
#[test]
fn a_small_entry_that_claims_more_than_a_block_is_not_in_place() {
    let memory = Arc::new(Memory::new(None));
    let mut arena = Arena::new(&memory);
    let (key, value) = (Key::string("key"), Value::json("1"));
    let entry = Entry::alloc(key, value, 0, &mut None, &mut arena).unwrap();
    assert!(entry.is_in_place());
    let head = entry.head();
    // SAFETY: the header of an entry that no other thread reads.
    unsafe {
        entry.as_ptr().cast::<u32>().write(head | LEN_MASK << KIND_BITS);
        assert!(!entry.is_in_place());
        entry.as_ptr().cast::<u32>().write(head);
        entry.free(&mut arena, &memory);
    }
}

#[test]
fn a_large_entry_that_is_not_used_frees_itself() {
    let memory = Memory::new(None);
    let value = vec![0; 100_000];
    let value = Value { kind: ValueKind::Buffer, bytes: &value };
    let prepared = Prepared::new(Key::string("k"), value, 0, &memory).unwrap();
    assert!(memory.total() > 100_000);
    drop(prepared);
    assert_eq!(memory.total(), 0);
}

#[test]
fn a_large_entry_is_freed_by_its_last_owner_and_counted_until_its_shard_lets_go() {
    let memory = Arc::new(Memory::new(None));
    let value = vec![7; 10_000];
    let make = || {
        let prepared = Prepared::new(Key::string("k"), Value { kind: ValueKind::Buffer, bytes: &value }, 0, &memory);
        prepared.unwrap().and_then(Prepared::take).unwrap()
    };
    for first in ["the shard", "the owner"] {
        let entry = make();
        let counted = memory.used(Use::Entries);
        let (held, another) = (Held::new(entry).unwrap(), Held::new(entry).unwrap());
        drop(another);
        assert_eq!((counted > 10_000, entry.value_bytes()), (true, &value[..]));
        if first == "the shard" {
            // SAFETY: made with this memory, and what reads it below is another owner.
            unsafe { entry.free_if_large(&memory) };
            assert_eq!(memory.used(Use::Entries), 0);
            assert_eq!(held.entry().value_bytes(), value);
            drop(held);
        } else {
            drop(held);
            assert_eq!((memory.used(Use::Entries), entry.value_bytes()), (counted, &value[..]));
            // SAFETY: made with this memory, and nothing reads it any more.
            unsafe { entry.free_if_large(&memory) };
            assert_eq!(memory.used(Use::Entries), 0);
        }
    }
    let mut arena = Arena::new(&memory);
    let small = Entry::alloc_small(Key::string("k"), Value::json("1"), 0, &mut arena).unwrap();
    assert!(Held::new(small).is_none());
}
