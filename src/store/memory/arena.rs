//! Blocks of memory for the entries of one shard, in size classes.
//!
//! ```text
//! arena ─▶ class (block size) ─▶ pages with a free block ⇄ …      page: [header | block | block | …]
//!                             └▶ full pages ⇄ …
//! ```
//!
//! A block carries no header of its own: its class follows from its size, its page from its address, because pages are
//! aligned to their size. That is what keeps a small entry within its budget of overhead. There is a class for each
//! number of blocks that a page can be cut into, so that little is left at its end: classes are 4 bytes apart up to
//! 96 bytes, 8 up to 200, 3 % of a block at 512 and at most an eighth of it at 2 KiB. Blocks above that come from
//! `large`.
//!
//! **Evacuation.** Blocks that were freed here and there leave pages that are mostly empty and serve one class only.
//! When room is short, [`Arena::set_aside`] takes the emptiest page it finds off its list; the shard moves what lives
//! there into other pages of the class, and with the last block the page goes. So freed bytes become pages for any
//! class, and evicting `n` bytes makes room for `n` bytes, give or take a page or two per class.
//!
//! A page is reserved with the map's [`Memory`] when it is taken and released when its last block was freed, so what a
//! map reports is what was set aside for it, fragmentation included. Everything here is guarded by the shard's lock.

use std::ptr::NonNull;

use super::budget::{Memory, Reservation, Use};
use super::large;
use super::pages;
use super::regions::PageSize;
use crate::store::error::Error;
use crate::store::platform::fallible;
use crate::store::platform::fault;
use crate::store::platform::sync::Arc;

/// The largest block cut from a page: an eighth of a large one.
pub const MAX_BLOCK_BYTES: usize = 2_040;

/// Blocks above this size live in large pages.
const SMALL_PAGE_BLOCK_BYTES: usize = 256;
/// Blocks are multiples of this, and aligned to it.
const GRAIN_BYTES: usize = 4;
/// Blocks up to this size are one grain apart, larger ones at least two. A step of one grain saves 2 bytes of a block
/// on average, and makes a class more, of which each shard has a page that is half empty. With 16 shards and values of
/// 0 to 127 bytes, all lengths alike, that is 7 bytes an entry lost at 20,000 entries, nothing at 100,000 and 1 saved
/// at a million; where most entries have a few sizes, as in most maps, it saves from the first ten thousand on.
const FINE_BLOCK_BYTES: usize = 96;

/// How many classes there are.
const CLASSES: usize = count_classes();
/// The size of each class's blocks, in ascending order.
const CLASS_BYTES: [u16; CLASSES] = all_class_bytes();
/// The class of a size, by the grains that it takes.
static CLASS_OF: [u8; MAX_BLOCK_BYTES / GRAIN_BYTES + 1] = classes_by_grains();

/// What stands at the start of a page.
#[repr(C)]
struct Header {
    previous: *mut Header,
    next: *mut Header,
    /// First freed block, linked through the blocks' first four bytes as offsets in the page; 0 for none.
    free: u32,
    /// Offset of the first block that was never used.
    fresh: u32,
    live: u32,
    /// Where the page is.
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// In its class's list of pages with a free block.
    Open,
    /// In its class's list of pages without.
    Full,
    /// In no list: what is freed in it is not used again, and the page goes when all is.
    SetAside,
}

/// Pages of a class that are looked at: the emptiest of a few is nearly as good as the emptiest of all.
const CANDIDATES: usize = 8;

const HEADER_BYTES: usize = size_of::<Header>().next_multiple_of(16);

#[derive(Clone, Copy, Debug)]
struct List(*mut Header);

/// A walk through the pages of an arena.
#[derive(Debug)]
pub struct PageWalk {
    page: *mut Header,
    /// The next of the three lists of each class.
    list: usize,
    /// Bytes of the pages so far.
    pub bytes: usize,
}

// SAFETY: the pointer is followed under the lock of the arena that it leads into only.
unsafe impl Send for PageWalk {}

impl Default for PageWalk {
    fn default() -> Self {
        Self { page: std::ptr::null_mut(), list: 0, bytes: 0 }
    }
}

/// The pages of one shard.
#[derive(Debug)]
pub struct Arena {
    /// Made with the first page: in a map of thousands of shards, those that are empty should be small.
    lists: Option<Box<Lists>>,
    /// For its pages and lists.
    held: Reservation,
    /// Whether an entry of this shard was ever too large for a block.
    has_entries_to_look_at: bool,
    /// Blocks that came and went.
    pub blocks: Blocks,
}

/// How many blocks were handed out, and how many came back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Handed out.
    pub allocations: u64,
    /// Came back.
    pub frees: u64,
}

impl Blocks {
    /// Adds those of another arena.
    pub fn add(&mut self, other: &Self) {
        self.allocations += other.allocations;
        self.frees += other.frees;
    }
}

/// The pages by class and state.
#[derive(Debug)]
struct Lists {
    /// Pages with at least one free block. Invariant: the state of each is `Open`.
    open: [List; CLASSES],
    /// Pages with none. Invariant: the state of each is `Full`.
    full: [List; CLASSES],
    /// Pages that are being emptied. Invariant: the state of each is `SetAside`.
    set_aside: [List; CLASSES],
    /// Free blocks in open pages.
    free_blocks: [u32; CLASSES],
}

// SAFETY: an arena owns its pages alone; the pointers lead nowhere else.
unsafe impl Send for Arena {}

/// What a block of this size costs.
pub fn block_bytes(size: usize) -> usize {
    if size > MAX_BLOCK_BYTES {
        return large::block_bytes(size);
    }
    class_bytes(class_of(size))
}

/// The class whose blocks hold this many bytes.
#[inline]
fn class_of(size: usize) -> usize {
    usize::from(CLASS_OF[size.div_ceil(GRAIN_BYTES)])
}

/// The size of a class's blocks.
#[inline]
const fn class_bytes(class: usize) -> usize {
    CLASS_BYTES[class] as usize
}

const fn page_size(class: usize) -> PageSize {
    page_size_of(class_bytes(class))
}

const fn page_size_of(block_bytes: usize) -> PageSize {
    if block_bytes <= SMALL_PAGE_BLOCK_BYTES { PageSize::Small } else { PageSize::Large }
}

/// The largest block of which as many fit into a page as of one with this many grains.
const fn largest_block(grains: usize) -> usize {
    let smallest = grains * GRAIN_BYTES;
    let step = if smallest <= FINE_BLOCK_BYTES { GRAIN_BYTES } else { 2 * GRAIN_BYTES };
    let size = smallest.next_multiple_of(step);
    let room = page_size_of(size).bytes() - HEADER_BYTES;
    let largest_block = room / (room / size) / step * step;
    // What is larger has other steps, or lives in pages of the other size.
    if size <= FINE_BLOCK_BYTES && largest_block > FINE_BLOCK_BYTES {
        FINE_BLOCK_BYTES
    } else if size <= SMALL_PAGE_BLOCK_BYTES && largest_block > SMALL_PAGE_BLOCK_BYTES {
        SMALL_PAGE_BLOCK_BYTES
    } else {
        largest_block
    }
}

const fn count_classes() -> usize {
    let (mut count, mut grains) = (0, 0);
    while grains * GRAIN_BYTES < MAX_BLOCK_BYTES {
        grains = largest_block(grains + 1) / GRAIN_BYTES;
        count += 1;
    }
    count
}

const fn all_class_bytes() -> [u16; CLASSES] {
    let mut all = [0; CLASSES];
    let (mut class, mut grains) = (0, 0);
    while class < CLASSES {
        all[class] = largest_block(grains + 1) as u16;
        grains = all[class] as usize / GRAIN_BYTES;
        class += 1;
    }
    all
}

const fn classes_by_grains() -> [u8; MAX_BLOCK_BYTES / GRAIN_BYTES + 1] {
    let mut classes = [0; MAX_BLOCK_BYTES / GRAIN_BYTES + 1];
    let (mut class, mut grains) = (0, 0);
    while grains < classes.len() {
        if grains * GRAIN_BYTES > CLASS_BYTES[class] as usize {
            class += 1;
        }
        classes[grains] = class as u8;
        grains += 1;
    }
    classes
}

impl Arena {
    /// No pages yet.
    pub fn new(memory: &Arc<Memory>) -> Self {
        let held = Reservation::empty(memory, Use::Entries);
        Self { lists: None, held, has_entries_to_look_at: false, blocks: Blocks::default() }
    }

    /// Bytes of its pages.
    pub fn bytes(&self) -> usize {
        self.held.bytes() - self.lists_bytes()
    }

    /// Bytes of its lists of pages.
    pub fn lists_bytes(&self) -> usize {
        if self.lists.is_some() { size_of::<Lists>() } else { 0 }
    }

    /// Remembers that an entry of this shard lies outside.
    pub fn admit_entry_to_look_at(&mut self) {
        self.has_entries_to_look_at = true;
    }

    /// Whether one ever did.
    pub fn has_entries_to_look_at(&self) -> bool {
        self.has_entries_to_look_at
    }

    /// Gives back at most so many pages of an arena that is used no more, with whatever is in them. Whether there were
    /// any.
    pub fn free_some(&mut self, pages: usize) -> bool {
        let Some(lists) = &mut self.lists else { return false };
        let mut freed = 0;
        for class in 0..CLASSES {
            for list in [&mut lists.open[class], &mut lists.full[class], &mut lists.set_aside[class]] {
                while !list.0.is_null() && freed < pages {
                    let page = list.0;
                    // SAFETY: the page is in this list and the arena's alone.
                    unsafe {
                        list.remove(page);
                        give_page_back(page, class);
                    }
                    self.held.shrink(page_size(class).bytes());
                    freed += 1;
                }
            }
        }
        freed > 0
    }

    /// Whether a block of this size can be one of an arena's that is in use.
    ///
    /// # Safety
    ///
    /// `block` came from an arena with this size, if nothing is damaged, and it is not freed meanwhile.
    pub unsafe fn may_be_block(block: NonNull<u8>, size: usize) -> bool {
        let class = class_of(size);
        let address = block.as_ptr() as usize;
        let offset = address & (page_size(class).bytes() - 1);
        // SAFETY: the caller's block lies in a page of this class, and pages are aligned to their size.
        let header = unsafe { &*block.as_ptr().byte_sub(offset).cast::<Header>() };
        offset >= HEADER_BYTES
            && (offset - HEADER_BYTES).is_multiple_of(class_bytes(class))
            && offset < header.fresh as usize
            && header.live > 0
    }

    /// Goes through the pages, `count` at a time, from where `walk` stands, and adds up their bytes there. Says
    /// whether that were all. Nothing may change in between.
    pub fn count_pages(&self, walk: &mut PageWalk, count: usize) -> bool {
        let Some(lists) = &self.lists else { return true };
        for _ in 0..count {
            while walk.page.is_null() {
                let (class, list) = (walk.list / 3, walk.list % 3);
                if class == CLASSES {
                    return true;
                }
                walk.page = [lists.open[class], lists.full[class], lists.set_aside[class]][list].0;
                walk.list += 1;
            }
            walk.bytes += page_size((walk.list - 1) / 3).bytes();
            // SAFETY: a page in a list of this arena, where nothing changed since it was looked up.
            walk.page = unsafe { (*walk.page).next };
        }
        false
    }

    /// Where its pages are accounted for.
    pub fn memory(&self) -> Arc<Memory> {
        Arc::clone(self.held.memory())
    }

    /// A block of at least `size` bytes, aligned to 4. `size` is at most [`MAX_BLOCK_BYTES`].
    pub fn alloc(&mut self, size: usize) -> Result<NonNull<u8>, Error> {
        debug_assert!(size <= MAX_BLOCK_BYTES);
        let class = class_of(size);
        let block_bytes = class_bytes(class);
        if self.lists.as_ref().is_none_or(|lists| lists.open[class].0.is_null()) {
            self.add_page(class)?;
        }
        let Some(lists) = &mut self.lists else { return Err(Error::Broken) };
        self.blocks.allocations += 1;
        let page = lists.open[class].0;
        // SAFETY: pages in a list are this arena's, initialised by `add_page`, and a page in `open` has a free block:
        // either one that was freed, whose first bytes hold the next offset, or a fresh one that still fits.
        unsafe {
            let header = &mut *page;
            let offset = if header.free == 0 {
                let offset = header.fresh;
                header.fresh += block_bytes as u32;
                offset
            } else {
                let offset = header.free;
                header.free = page.byte_add(offset as usize).cast::<u32>().read();
                offset
            };
            header.live += 1;
            fault::point();
            lists.free_blocks[class] -= 1;
            if header.free == 0 && header.fresh as usize + block_bytes > page_size(class).bytes() {
                lists.open[class].remove(page);
                lists.full[class].push(page);
                (*page).state = State::Full;
            }
            Ok(NonNull::new_unchecked(page.byte_add(offset as usize).cast::<u8>()))
        }
    }

    /// Frees a block.
    ///
    /// # Safety
    ///
    /// `block` came from [`Arena::alloc`] of this arena with this size, and it is no longer in use.
    pub unsafe fn free(&mut self, block: NonNull<u8>, size: usize) {
        let Some(lists) = &mut self.lists else { return };
        self.blocks.frees += 1;
        let class = class_of(size);
        let page_bytes = page_size(class).bytes();
        let address = block.as_ptr() as usize;
        let offset = address & (page_bytes - 1);
        // SAFETY: the caller's block lies in a page of this class, and pages are aligned to their size.
        unsafe {
            let page = block.as_ptr().byte_sub(offset).cast::<Header>();
            // A thread that still reads it shall notice in tests.
            #[cfg(debug_assertions)]
            block.write_bytes(0xdd, size);
            block.cast::<u32>().write((*page).free);
            (*page).free = offset as u32;
            fault::point();
            (*page).live -= 1;
            if (*page).state == State::SetAside {
                if (*page).live == 0 {
                    lists.set_aside[class].remove(page);
                    give_page_back(page, class);
                    self.held.shrink(page_bytes);
                }
                return;
            }
            lists.free_blocks[class] += 1;
            if (*page).state == State::Full {
                (*page).state = State::Open;
                lists.full[class].remove(page);
                lists.open[class].push(page);
            }
            // The last block of a page is gone. One empty page per class stays, or a single entry that comes and goes
            // would take and give back a page each time.
            let is_only_open_page = (*page).next.is_null() && (*page).previous.is_null();
            if (*page).live == 0 && !is_only_open_page {
                lists.open[class].remove(page);
                lists.free_blocks[class] -= blocks_of(class);
                give_page_back(page, class);
                fault::point();
                self.held.shrink(page_bytes);
            }
        }
    }

    /// Gives back the empty pages that wait for the next block of their class: where a limit refuses a write, other
    /// classes and shards need them more. There is at most one for each class; it is looked for among the first few
    /// pages.
    pub fn release_empty(&mut self) {
        let Some(lists) = &mut self.lists else { return };
        for class in 0..CLASSES {
            if lists.free_blocks[class] < blocks_of(class) {
                continue;
            }
            let mut page = lists.open[class].0;
            for _ in 0..CANDIDATES {
                // SAFETY: pages in a list are this arena's and initialised, and the link is read before the page goes.
                unsafe {
                    if page.is_null() {
                        break;
                    }
                    let next = (*page).next;
                    if (*page).live == 0 {
                        lists.open[class].remove(page);
                        lists.free_blocks[class] -= blocks_of(class);
                        give_page_back(page, class);
                        self.held.shrink(page_size(class).bytes());
                    }
                    page = next;
                }
            }
        }
    }

    /// Takes the emptiest of some pages off its list, if the blocks that live in it find room in others, and returns
    /// those blocks. Some of them may be retired already; they are freed in due course. Whatever is freed in the page
    /// from now on is not used again, and with the last block the page goes.
    pub fn set_aside(&mut self) -> Option<Vec<NonNull<u8>>> {
        let lists = self.lists.as_mut()?;
        let free_bytes = |class: &usize| lists.free_blocks[*class] as usize * class_bytes(*class);
        let class = (0..CLASSES).max_by_key(free_bytes)?;
        let mut emptiest: Option<(u32, *mut Header)> = None;
        let mut page = lists.open[class].0;
        for _ in 0..CANDIDATES {
            if page.is_null() {
                break;
            }
            // SAFETY: pages in a list are this arena's and initialised.
            unsafe {
                if emptiest.is_none_or(|(live, _)| (*page).live < live) {
                    emptiest = Some(((*page).live, page));
                }
                page = (*page).next;
            }
        }
        let (live, page) = emptiest?;
        let free_here = blocks_of(class) - live;
        if live > lists.free_blocks[class] - free_here {
            return None;
        }
        lists.free_blocks[class] -= free_here;
        // SAFETY: the page is in this list, and initialised.
        unsafe {
            lists.open[class].remove(page);
            if live == 0 {
                give_page_back(page, class);
                self.held.shrink(page_size(class).bytes());
                return Some(Vec::new());
            }
            let Ok(living) = living_blocks(page, class) else {
                // Without memory to tell which they are, the page stays where it was.
                lists.open[class].push(page);
                lists.free_blocks[class] += free_here;
                return None;
            };
            (*page).state = State::SetAside;
            lists.set_aside[class].push(page);
            Some(living)
        }
    }

    #[cold]
    fn add_page(&mut self, class: usize) -> Result<(), Error> {
        if self.lists.is_none() {
            self.held.grow(size_of::<Lists>())?;
            let made = fallible::boxed(Lists::new());
            self.lists = Some(made.inspect_err(|_| self.held.shrink(size_of::<Lists>()))?);
        }
        let Some(lists) = &mut self.lists else { return Err(Error::Broken) };
        let size = page_size(class);
        self.held.grow(size.bytes())?;
        let Some(page) = fallible::grant(size.bytes()).ok().and_then(|()| pages::take(size)) else {
            self.held.shrink(size.bytes());
            return Err(Error::OutOfMemory { bytes: size.bytes() as u64 });
        };
        let page = page.cast::<Header>().as_ptr();
        let header = Header {
            previous: std::ptr::null_mut(),
            next: std::ptr::null_mut(),
            free: 0,
            fresh: HEADER_BYTES as u32,
            live: 0,
            state: State::Open,
        };
        // SAFETY: a page is writable, large enough for a header, and belongs to no other owner.
        unsafe {
            page.write(header);
            lists.open[class].push(page);
            lists.free_blocks[class] += blocks_of(class);
        }
        Ok(())
    }
}

impl Lists {
    fn new() -> Self {
        let none = List(std::ptr::null_mut());
        Self { open: [none; CLASSES], full: [none; CLASSES], set_aside: [none; CLASSES], free_blocks: [0; CLASSES] }
    }
}

impl Drop for Arena {
    fn drop(&mut self) {
        self.free_some(usize::MAX);
    }
}

/// Blocks that a page of this class has.
const fn blocks_of(class: usize) -> u32 {
    ((page_size(class).bytes() - HEADER_BYTES) / class_bytes(class)) as u32
}

/// The blocks of a page that are not free.
///
/// # Safety
///
/// `page` is an initialised page of this class.
unsafe fn living_blocks(page: *mut Header, class: usize) -> Result<Vec<NonNull<u8>>, Error> {
    let block_bytes = class_bytes(class);
    // SAFETY: offsets in a page's list of free blocks, and those between header and `fresh`, are of blocks in the page.
    unsafe {
        let mut is_free = fallible::filled(blocks_of(class) as usize, false)?;
        let mut living = fallible::vec((*page).live as usize)?;
        let mut offset = (*page).free as usize;
        while offset != 0 {
            is_free[(offset - HEADER_BYTES) / block_bytes] = true;
            offset = page.byte_add(offset).cast::<u32>().read() as usize;
        }
        let used = ((*page).fresh as usize - HEADER_BYTES) / block_bytes;
        let numbers = (0..used).filter(|&number| !is_free[number]);
        living.extend(numbers.map(|number| {
            let block = page.byte_add(HEADER_BYTES + number * block_bytes);
            NonNull::new_unchecked(block.cast::<u8>())
        }));
        Ok(living)
    }
}

/// # Safety
///
/// `page` is a page of this class, in no list, and no longer in use.
unsafe fn give_page_back(page: *mut Header, class: usize) {
    let size = page_size(class);
    // SAFETY: the caller's promise; pages of an arena come from `pages::take` with the size of their class.
    unsafe { pages::give_back(NonNull::new_unchecked(page.cast::<u8>()), size) };
}

impl List {
    /// # Safety
    ///
    /// `page` is initialised and in no list.
    unsafe fn push(&mut self, page: *mut Header) {
        // SAFETY: the caller's promise, and pages in a list are initialised.
        unsafe {
            (*page).previous = std::ptr::null_mut();
            (*page).next = self.0;
            if !self.0.is_null() {
                (*self.0).previous = page;
            }
        }
        self.0 = page;
    }

    /// # Safety
    ///
    /// `page` is in this list.
    unsafe fn remove(&mut self, page: *mut Header) {
        // SAFETY: the caller's promise; neighbours of a page in a list are in it too.
        unsafe {
            let (previous, next) = ((*page).previous, (*page).next);
            if previous.is_null() {
                self.0 = next;
            } else {
                (*previous).next = next;
            }
            if !next.is_null() {
                (*next).previous = previous;
            }
            (*page).previous = std::ptr::null_mut();
            (*page).next = std::ptr::null_mut();
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_size_fits_its_class_and_not_the_one_below() {
        for size in 1..=MAX_BLOCK_BYTES {
            let class = class_of(size);
            assert!(class_bytes(class) >= size, "size {size}");
            assert!(class == 0 || class_bytes(class - 1) < size, "size {size}");
            assert!(class_bytes(class).is_multiple_of(GRAIN_BYTES), "size {size}");
            let lost = class_bytes(class) - size;
            let step = if size <= FINE_BLOCK_BYTES { GRAIN_BYTES } else { 2 * GRAIN_BYTES };
            assert!(lost < step || lost <= class_bytes(class) / 8, "size {size}");
        }
        assert_eq!((class_of(MAX_BLOCK_BYTES), class_bytes(CLASSES - 1)), (CLASSES - 1, MAX_BLOCK_BYTES));
    }

    #[test]
    fn little_is_left_at_the_end_of_a_page() {
        for class in 0..CLASSES {
            let page_bytes = page_size(class).bytes();
            let left = page_bytes - HEADER_BYTES - blocks_of(class) as usize * class_bytes(class);
            assert!(left <= page_bytes / 16, "{left} bytes of a page of blocks of {}", class_bytes(class));
        }
    }

    #[test]
    fn blocks_keep_their_content_and_all_pages_go_back() {
        let memory = Arc::new(Memory::new(None));
        let mut arena = Arena::new(&memory);
        let mut blocks = Vec::new();
        for n in 0..20_000_usize {
            let size = 4 + n * 7 % MAX_BLOCK_BYTES;
            let size = size.min(MAX_BLOCK_BYTES);
            let block = arena.alloc(size).unwrap();
            // SAFETY: the block has this many bytes and is ours.
            unsafe { block.write_bytes(n as u8, size) };
            blocks.push((block, size, n as u8));
            if n % 3 == 0 {
                let (block, size, fill) = blocks.swap_remove(n * 31 % blocks.len());
                // SAFETY: ours, of this size, freed once.
                unsafe {
                    let content = std::slice::from_raw_parts(block.as_ptr(), size);
                    assert!(content.iter().all(|&byte| byte == fill));
                    arena.free(block, size);
                }
            }
        }
        let held: usize = blocks.iter().map(|(_, size, _)| block_bytes(*size)).sum();
        let reserved = memory.used(Use::Entries) as usize;
        assert!(reserved >= held && reserved < held * 3 / 2, "{reserved} for {held}");
        for (block, size, fill) in blocks {
            // SAFETY: ours, of this size, freed once.
            unsafe {
                let content = std::slice::from_raw_parts(block.as_ptr(), size);
                assert!(content.iter().all(|&byte| byte == fill));
                arena.free(block, size);
            }
        }
        drop(arena);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn freed_bytes_become_pages_for_another_class() {
        let memory = Arc::new(Memory::new(None));
        let mut arena = Arena::new(&memory);
        let mut blocks: Vec<_> = (0..4_000).map(|_| arena.alloc(64).unwrap()).collect();
        // One block in four stays, in every page.
        let mut n = 0;
        blocks.retain(|&block| {
            n += 1;
            if n % 4 != 0 {
                // SAFETY: ours, of this size, freed once.
                unsafe { arena.free(block, 64) };
            }
            n % 4 == 0
        });
        let before = arena.bytes();
        while let Some(living) = arena.set_aside() {
            for block in living {
                let moved = arena.alloc(64).unwrap();
                let place = blocks.iter_mut().find(|other| **other == block).unwrap();
                *place = moved;
                // SAFETY: ours, of this size, freed once.
                unsafe { arena.free(block, 64) };
            }
        }
        assert!(arena.bytes() * 3 < before, "{} of {before} bytes are left", arena.bytes());
        assert_eq!(memory.used(Use::Entries), (arena.bytes() + size_of::<Lists>()) as u64);
        for block in blocks {
            // SAFETY: ours, of this size, freed once.
            unsafe { arena.free(block, 64) };
        }
        drop(arena);
        assert_eq!(memory.total(), 0);
    }

    #[test]
    fn a_page_beyond_the_limit_is_refused() {
        let memory = Arc::new(Memory::new(Some((PageSize::Small.bytes() + size_of::<Lists>()) as u64)));
        let mut arena = Arena::new(&memory);
        let fits = std::iter::repeat_with(|| arena.alloc(256)).take_while(Result::is_ok).count();
        assert_eq!(fits, (PageSize::Small.bytes() - HEADER_BYTES) / 256);
        assert!(matches!(arena.alloc(8), Err(Error::MemoryLimit { .. })));
    }
}
