//! Which stretches of some spans are free, and which of them have memory.
//!
//! Only numbers change here; the memory itself is neither touched nor given back. `runs` does that.
//!
//! A span is counted in *grains* of 256 bytes. A *run* is a stretch of grains, in use or free; two free ones are never
//! neighbours. A *tag* at the first and at the last grain of each free run says how long it is, so a run that comes
//! back finds its free neighbours in two looks (boundary tags, Knuth 1968). Free runs stand in bins by length, 32 for
//! each power of two, and what is asked for is rounded up to the shortest of a bin, so that the first of any bin fits
//! (segregated fit).
//!
//! Memory comes and goes in pages of 4 KiB. A page is *touched* if it may have memory, and *loose* if it is touched
//! and lies in a free run as a whole. Runs with loose pages have bins of their own and are taken first: their memory
//! serves again.

use crate::store::platform::mapping::{Mapping, OS_PAGE_BYTES};
use crate::store::platform::spans::SPAN_BYTES;

/// What runs are multiples of and aligned to: 4 % of a run of 3 KiB is lost to it on average, and the tags of as much
/// memory take one part in 21.
pub const GRAIN_BYTES: usize = 256;
/// Grains of a page.
const PAGE_GRAINS: u32 = (OS_PAGE_BYTES / GRAIN_BYTES) as u32;
/// Grains that a span has at most, and the distance between the numbers of the first grains of two spans.
const SPAN_GRAINS: u32 = (SPAN_BYTES / GRAIN_BYTES) as u32;
/// Spans that grains can be numbered in: a terabyte.
const MAX_SPANS: usize = (u32::MAX / SPAN_GRAINS) as usize;

/// Bins for each power of two. A request is rounded up by one part in 32 of it at most, or to a grain.
const BINS_PER_DOUBLING: u32 = 32;
const BINS: usize = bin_of(SPAN_GRAINS) + 1;
const NONE: u32 = u32::MAX;

/// The free runs of all spans.
#[derive(Debug)]
pub struct FreeRuns {
    /// By number; a span that was removed leaves its number to the next.
    spans: Vec<Option<Space>>,
    clean: Bins,
    loose: Bins,
    used_grains: usize,
    loose_pages: usize,
}

/// What is known of one span. Takes long to drop.
#[derive(Debug)]
pub struct Space {
    tags: Mapping,
    /// A bit for each page.
    touched: Vec<u64>,
    grains: u32,
}

/// Stands at the first and the last grain of a free run.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
struct Tag {
    /// Grains of the free run that starts or ends here; 0 where none does.
    len: u32,
    /// At the first grain: the previous and the next run of the bin. At the last one, if it is another: the number of
    /// loose pages.
    links: [u32; 2],
}

#[derive(Debug)]
struct Bins {
    heads: [u32; BINS],
    /// Bit `n` is set if bin `n` has a run.
    filled: [u64; BINS.div_ceil(64)],
}

/// The bin of runs of this length.
const fn bin_of(grains: u32) -> usize {
    if grains < BINS_PER_DOUBLING {
        return grains as usize;
    }
    let doublings = grains.ilog2() - BINS_PER_DOUBLING.ilog2();
    (doublings * BINS_PER_DOUBLING + (grains >> doublings)) as usize
}

/// Grains of the run for this many bytes.
pub fn grains_for(bytes: usize) -> u32 {
    let grains = bytes.div_ceil(GRAIN_BYTES).max(1) as u32;
    if grains < BINS_PER_DOUBLING {
        return grains;
    }
    grains.next_multiple_of(1 << (grains.ilog2() - BINS_PER_DOUBLING.ilog2()))
}

impl Bins {
    const fn new() -> Self {
        Self { heads: [NONE; BINS], filled: [0; BINS.div_ceil(64)] }
    }

    /// The first bin from this one on that has a run.
    fn first_from(&self, bin: usize) -> Option<usize> {
        let (word, bit) = (bin / 64, bin % 64);
        let here = self.filled[word] & (u64::MAX << bit);
        if here != 0 {
            return Some(word * 64 + here.trailing_zeros() as usize);
        }
        let word = (word + 1..self.filled.len()).find(|&word| self.filled[word] != 0)?;
        Some(word * 64 + self.filled[word].trailing_zeros() as usize)
    }

    /// A run of the last bin that has one: none is much longer.
    fn longest(&self) -> Option<u32> {
        let word = self.filled.iter().rposition(|&word| word != 0)?;
        Some(self.heads[word * 64 + self.filled[word].ilog2() as usize])
    }
}

impl Space {
    fn new(grains: u32) -> Option<Self> {
        let tags = Mapping::new(grains as usize * size_of::<Tag>())?;
        let mut touched = Vec::new();
        let words = grains.div_ceil(PAGE_GRAINS).div_ceil(64) as usize;
        touched.try_reserve_exact(words).ok()?;
        touched.resize(words, 0);
        Some(Self { tags, touched, grains })
    }

    fn tag(&mut self, grain: u32) -> &mut Tag {
        assert!(grain < self.grains, "grain {grain} of {}", self.grains);
        // SAFETY: the mapping is writable, aligned to a page, has room for a tag per grain, and began as zeros, which
        // is what a tag may hold.
        unsafe { &mut *self.tags.start().as_ptr().cast::<Tag>().add(grain as usize) }
    }

    /// Calls `change` with each word of the pages in a range, and the bits of it that are in the range.
    fn for_each_word(&mut self, first: u32, end: u32, mut change: impl FnMut(&mut u64, u64)) {
        let mut page = first;
        while page < end {
            let in_word = page % 64;
            let count = (64 - in_word).min(end - page);
            change(&mut self.touched[(page / 64) as usize], (u64::MAX >> (64 - count)) << in_word);
            page += count;
        }
    }

    fn touched_pages(&mut self, first: u32, end: u32) -> u32 {
        let mut count = 0;
        self.for_each_word(first, end, |word, bits| count += (*word & bits).count_ones());
        count
    }

    fn first_touched(&self, first: u32, end: u32) -> Option<u32> {
        let mut page = first;
        while page < end {
            let rest = self.touched[(page / 64) as usize] >> (page % 64);
            if rest != 0 {
                return Some(page + rest.trailing_zeros()).filter(|&page| page < end);
            }
            page = (page / 64 + 1) * 64;
        }
        None
    }
}

impl FreeRuns {
    /// No spans.
    pub const fn new() -> Self {
        Self { spans: Vec::new(), clean: Bins::new(), loose: Bins::new(), used_grains: 0, loose_pages: 0 }
    }

    /// Bytes of the runs in use.
    pub fn used_bytes(&self) -> usize {
        self.used_grains * GRAIN_BYTES
    }

    /// Bytes of pages that have memory and are not in use.
    pub fn loose_bytes(&self) -> usize {
        self.loose_pages * OS_PAGE_BYTES
    }

    /// Adds an untouched span of this many bytes; its number. `None` if there is no memory to know it by.
    pub fn add(&mut self, bytes: usize) -> Option<usize> {
        let number = self.spans.iter().position(Option::is_none).unwrap_or(self.spans.len());
        if number >= MAX_SPANS {
            return None;
        }
        let space = Space::new(bytes.min(SPAN_BYTES) as u32 / GRAIN_BYTES as u32)?;
        let grains = space.grains;
        if number == self.spans.len() {
            self.spans.try_reserve(1).ok()?;
            self.spans.push(None);
        }
        self.spans[number] = Some(space);
        self.insert(number as u32 * SPAN_GRAINS, grains, 0);
        Some(number)
    }

    /// Takes a run of so many grains, a number that [`grains_for`] returned: the number of its span and of its first
    /// grain there. If a page of it has no memory, `prepare` gets both. If it returns `false`, nothing is taken.
    pub fn take(&mut self, grains: u32, prepare: impl FnOnce(usize, u32) -> bool) -> Option<(usize, u32)> {
        let bin = bin_of(grains);
        let run = match self.loose.first_from(bin) {
            Some(bin) => self.loose.heads[bin],
            None => self.clean.heads[self.clean.first_from(bin)?],
        };
        let (len, loose) = self.remove(run);
        let (space, first) = self.space(run);
        let (end, rest_end) = (first + grains, first + len);
        let rest_page = end.div_ceil(PAGE_GRAINS);
        let loose_here = space.touched_pages(first.div_ceil(PAGE_GRAINS), rest_page.min(rest_end / PAGE_GRAINS));
        let first_page = first / PAGE_GRAINS;
        let has_memory = space.touched_pages(first_page, rest_page) == rest_page - first_page;
        if !has_memory && !prepare((run / SPAN_GRAINS) as usize, first) {
            self.insert(run, len, loose);
            return None;
        }
        let (space, _) = self.space(run);
        space.for_each_word(first_page, rest_page, |word, bits| *word |= bits);
        if len > grains {
            self.insert(run + grains, len - grains, loose - loose_here);
        }
        self.used_grains += grains as usize;
        Some(((run / SPAN_GRAINS) as usize, first))
    }

    /// Takes a run back.
    pub fn give_back(&mut self, span: usize, first: u32, grains: u32) {
        self.used_grains -= grains as usize;
        self.free(span as u32 * SPAN_GRAINS + first, grains);
    }

    /// Takes loose pages, at most `max_pages` and not all in one run, so that their memory can be given back without
    /// the lock: the number of the span, of the first grain, and of grains. Until [`FreeRuns::return_clean`] they are
    /// in use. Where the pages of the operating system are so many of ours, `os_page_pages`, the free ones of the first
    /// are taken together: it is given back as a whole, and they may have become free one after the other.
    pub fn take_loose(&mut self, max_pages: u32, os_page_pages: u32) -> Option<(usize, u32, u32)> {
        let run = self.loose.longest()?;
        let (len, loose) = self.remove(run);
        let (space, first) = self.space(run);
        let end_page = (first + len) / PAGE_GRAINS;
        let first_page = first.div_ceil(PAGE_GRAINS);
        let touched = space.first_touched(first_page, end_page)?;
        let page = (touched / os_page_pages * os_page_pages).max(first_page);
        let after = (touched + max_pages).min(end_page);
        let taken = space.touched_pages(page, after);
        space.for_each_word(page, after, |word, bits| *word &= !bits);
        let (begin, end) = (page * PAGE_GRAINS, after * PAGE_GRAINS);
        let base = run - first;
        if begin > first {
            self.insert(run, begin - first, 0);
        }
        if first + len > end {
            self.insert(base + end, first + len - end, loose - taken);
        }
        self.used_grains += (end - begin) as usize;
        Some(((base / SPAN_GRAINS) as usize, begin, end - begin))
    }

    /// Takes pages back that have no memory any more. If nothing of their span is in use or touched, the span is gone,
    /// and what was known of it is the answer.
    pub fn return_clean(&mut self, span: usize, first: u32, grains: u32) -> Option<Space> {
        self.give_back(span, first, grains);
        let start = span as u32 * SPAN_GRAINS;
        let (space, _) = self.space(start);
        if space.tag(0).len < space.grains || space.touched.iter().any(|&word| word != 0) {
            return None;
        }
        self.remove(start);
        self.spans[span].take()
    }

    fn free(&mut self, run: u32, grains: u32) {
        let (space, first) = self.space(run);
        let (mut start, mut end) = (first, first + grains);
        let before = if first > 0 { space.tag(first - 1).len } else { 0 };
        let after = if end < space.grains { space.tag(end).len } else { 0 };
        let base = run - first;
        let mut loose = 0;
        if before > 0 {
            start -= before;
            loose += self.remove(base + start).1;
        }
        if after > 0 {
            loose += self.remove(base + end).1;
            end += after;
        }
        // The neighbours know of their own pages; those that this run covers, at least in part, join them.
        let (space, _) = self.space(run);
        let page = (first / PAGE_GRAINS).max(start.div_ceil(PAGE_GRAINS));
        let end_page = (first + grains).div_ceil(PAGE_GRAINS).min(end / PAGE_GRAINS);
        loose += space.touched_pages(page, end_page);
        self.insert(base + start, end - start, loose);
    }

    /// The span of a grain, and the grain's number there.
    fn space(&mut self, grain: u32) -> (&mut Space, u32) {
        match &mut self.spans[(grain / SPAN_GRAINS) as usize] {
            Some(space) => (space, grain % SPAN_GRAINS),
            None => unreachable!("grain {grain} is of a span that is gone"),
        }
    }

    fn tag(&mut self, grain: u32) -> &mut Tag {
        let (space, grain) = self.space(grain);
        space.tag(grain)
    }

    fn insert(&mut self, run: u32, len: u32, loose: u32) {
        let bins = if loose > 0 { &mut self.loose } else { &mut self.clean };
        let bin = bin_of(len);
        let next = std::mem::replace(&mut bins.heads[bin], run);
        bins.filled[bin / 64] |= 1 << (bin % 64);
        *self.tag(run) = Tag { len, links: [NONE, next] };
        if len > 1 {
            *self.tag(run + len - 1) = Tag { len, links: [loose, 0] };
        }
        if next != NONE {
            self.tag(next).links[0] = run;
        }
        self.loose_pages += loose as usize;
    }

    /// Takes a free run out of its bin: its length and the number of its loose pages.
    fn remove(&mut self, run: u32) -> (u32, u32) {
        const FREE_NO_MORE: Tag = Tag { len: 0, links: [0; 2] };
        let Tag { len, links: [previous, next] } = std::mem::replace(self.tag(run), FREE_NO_MORE);
        let last = if len > 1 { std::mem::replace(self.tag(run + len - 1), FREE_NO_MORE).links[0] } else { 0 };
        let (bin, loose) = (bin_of(len), last);
        if next != NONE {
            self.tag(next).links[0] = previous;
        }
        if previous == NONE {
            let bins = if loose > 0 { &mut self.loose } else { &mut self.clean };
            bins.heads[bin] = next;
            if next == NONE {
                bins.filled[bin / 64] &= !(1 << (bin % 64));
            }
        } else {
            self.tag(previous).links[1] = next;
        }
        self.loose_pages -= loose as usize;
        (len, loose)
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn take(runs: &mut FreeRuns, grains: u32) -> Option<(usize, u32)> {
        runs.take(grains, |_, _| true)
    }

    #[test]
    fn what_is_asked_for_is_rounded_to_the_shortest_run_of_a_bin() {
        for bytes in (1..20_000).chain((20_000..4 << 20).step_by(977)) {
            let grains = grains_for(bytes);
            let rounded = grains as usize * GRAIN_BYTES;
            assert!(rounded >= bytes && (rounded - bytes < GRAIN_BYTES || rounded - bytes <= bytes / 32), "{bytes}");
            assert!(bin_of(grains - 1) < bin_of(grains) && grains_for(rounded) == grains, "{bytes}");
        }
        assert_eq!(bin_of(SPAN_GRAINS), BINS - 1);
    }

    #[test]
    fn neighbours_that_are_free_become_one_run() {
        let mut runs = FreeRuns::new();
        assert_eq!(take(&mut runs, 8), None);
        let span = runs.add(OS_PAGE_BYTES * 64).unwrap();
        let taken: Vec<_> = (0..4).map(|_| take(&mut runs, 256).unwrap().1).collect();
        assert_eq!((taken.as_slice(), take(&mut runs, 8)), (&[0, 256, 512, 768][..], None));
        for run in [0, 512, 256, 768] {
            runs.give_back(span, run, 256);
        }
        assert_eq!((runs.used_bytes(), runs.loose_bytes()), (0, 64 * OS_PAGE_BYTES));
        assert_eq!(take(&mut runs, 1_024), Some((span, 0)));
    }

    #[test]
    fn pages_are_loose_once_all_their_grains_are_free_and_a_span_without_any_goes() {
        let mut runs = FreeRuns::new();
        let span = runs.add(OS_PAGE_BYTES * 64).unwrap();
        let taken: Vec<_> = (0..4).map(|_| take(&mut runs, 24).unwrap().1).collect();
        assert_eq!(taken, [0, 24, 48, 72]);
        // Grains 24 to 48: pages 1 and 2, of which the first belongs to the first run, too.
        runs.give_back(span, 24, 24);
        assert_eq!(runs.loose_bytes(), OS_PAGE_BYTES);
        runs.give_back(span, 0, 24);
        assert_eq!(runs.loose_bytes(), 3 * OS_PAGE_BYTES);
        // Two pages at a time, which cannot be taken until they come back.
        let first = runs.take_loose(2, 1).unwrap();
        assert_eq!((first, runs.loose_bytes()), ((span, 0, 32), OS_PAGE_BYTES));
        let second = runs.take_loose(2, 1).unwrap();
        assert_eq!((second, runs.take_loose(2, 1)), ((span, 32, 16), None));
        assert!(runs.return_clean(first.0, first.1, first.2).is_none());
        assert!(runs.return_clean(second.0, second.1, second.2).is_none());
        assert_eq!((runs.used_bytes(), runs.loose_bytes()), (48 * GRAIN_BYTES, 0));
        for run in [48, 72] {
            runs.give_back(span, run, 24);
        }
        let last = runs.take_loose(64, 1).unwrap();
        assert!(runs.return_clean(last.0, last.1, last.2).is_some());
        assert_eq!(take(&mut runs, 8), None);
        assert_eq!(runs.add(OS_PAGE_BYTES * 64), Some(span));
    }

    /// Where a page of the operating system is four of ours, it is given back once the last of them is free.
    #[test]
    fn pages_that_one_of_the_system_covers_are_given_back_together() {
        let mut runs = FreeRuns::new();
        let span = runs.add(OS_PAGE_BYTES * 64).unwrap();
        let taken: Vec<_> = (0..64).map(|_| take(&mut runs, 16).unwrap().1).collect();
        runs.give_back(span, taken[4], 16);
        let (_, first, grains) = runs.take_loose(64, 4).unwrap();
        assert_eq!((first, grains), (taken[4], 16));
        assert!(runs.return_clean(span, first, grains).is_none());
        for page in [6, 5, 7] {
            runs.give_back(span, taken[page], 16);
        }
        let (_, first, grains) = runs.take_loose(64, 4).unwrap();
        assert_eq!((first, grains), (taken[4], 64));
        assert!(runs.return_clean(span, first, grains).is_none());
        assert_eq!(runs.loose_bytes(), 0);
    }

    #[test]
    fn a_run_whose_memory_is_refused_stays_free() {
        let mut runs = FreeRuns::new();
        let span = runs.add(OS_PAGE_BYTES * 64).unwrap();
        assert_eq!(runs.take(100, |_, _| false), None);
        assert_eq!((runs.loose_bytes(), runs.used_bytes()), (0, 0));
        let run = take(&mut runs, 100).unwrap();
        runs.give_back(span, run.1, 100);
        // It has memory, so none is asked for.
        assert_eq!(runs.take(100, |_, _| false), Some(run));
    }

    /// Properties: runs in use never overlap and lie within their span; used and loose bytes are what a naive count
    /// returns; memory that is given back is of pages that are not in use; when all came back, each span is one run
    /// again.
    #[test]
    fn runs_agree_with_a_naive_count() {
        for seed in 1..=6 {
            run(seed);
        }
    }

    fn run(seed: u64) {
        const PAGES: usize = 512;
        const GRAINS: usize = PAGES * PAGE_GRAINS as usize;
        let mut state = seed;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        let mut runs = FreeRuns::new();
        let spans = [runs.add(PAGES * OS_PAGE_BYTES).unwrap(), runs.add(PAGES * OS_PAGE_BYTES).unwrap()];
        let mut held: Vec<(usize, u32, u32)> = Vec::new();
        let mut used = [[false; GRAINS], [false; GRAINS]];
        let mut touched = [[false; PAGES], [false; PAGES]];
        for step in 0..20_000 {
            let wanted = if step / 2_500 % 2 == 0 { 7 } else { 4 };
            match below(12) {
                n if n < wanted => {
                    let most = 1 << (9 + below(9));
                    let grains = grains_for(1 + below(most));
                    let is_refused = below(20) == 0;
                    let Some((span, first)) = runs.take(grains, |_, _| !is_refused) else { continue };
                    let pages = first / PAGE_GRAINS..(first + grains).div_ceil(PAGE_GRAINS);
                    let has_memory =
                        touched[span][pages.start as usize..pages.end as usize].iter().all(|&touched| touched);
                    assert!(!is_refused || has_memory, "seed {seed}, step {step}");
                    for grain in first..first + grains {
                        let was_used = std::mem::replace(&mut used[span][grain as usize], true);
                        assert!(!was_used, "seed {seed}, step {step}: grain {grain} is used twice");
                        touched[span][(grain / PAGE_GRAINS) as usize] = true;
                    }
                    held.push((span, first, grains));
                }
                11 => {
                    let Some((span, first, grains)) = runs.take_loose(1 + below(8) as u32, [1, 4][below(2)]) else {
                        continue;
                    };
                    let range = first as usize..(first + grains) as usize;
                    assert!(used[span][range].iter().all(|used| !used), "seed {seed}, step {step}");
                    let pages = (first / PAGE_GRAINS) as usize..((first + grains) / PAGE_GRAINS) as usize;
                    touched[span][pages].fill(false);
                    if let Some(space) = runs.return_clean(span, first, grains) {
                        assert!(used[span].iter().all(|used| !used), "seed {seed}, step {step}");
                        assert_eq!(runs.add(space.grains as usize * GRAIN_BYTES), Some(span));
                    }
                }
                _ if held.is_empty() => {}
                _ => {
                    let (span, first, grains) = held.swap_remove(below(held.len()));
                    runs.give_back(span, first, grains);
                    used[span][first as usize..(first + grains) as usize].fill(false);
                }
            }
            if step % 250 == 0 {
                let count = used.as_flattened().iter().filter(|&&used| used).count();
                let pages = used.as_flattened().chunks(PAGE_GRAINS as usize).zip(touched.as_flattened());
                let loose = pages.filter(|(used, touched)| **touched && used.iter().all(|used| !used)).count();
                let told = (runs.used_bytes() / GRAIN_BYTES, runs.loose_bytes() / OS_PAGE_BYTES);
                assert_eq!(told, (count, loose), "seed {seed}, step {step}");
            }
        }
        for (span, first, grains) in held {
            runs.give_back(span, first, grains);
        }
        let all = [take(&mut runs, GRAINS as u32), take(&mut runs, GRAINS as u32)].map(Option::unwrap);
        assert!(spans.iter().all(|&span| all.contains(&(span, 0))), "seed {seed}: {all:?}");
    }
}
