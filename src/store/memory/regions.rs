//! Regions: 1 MiB of address space each, cut into pages of one size as long as a page of it is in use.
//!
//! Only numbers change here; the memory itself is neither touched nor given back. `pages` does that.
//!
//! A region counts in *units* of 4 KiB. A unit is free or in use, and it is *touched* if it may have memory. A free
//! unit that is touched is *loose*: its memory is not in use. All of a region's lists are found by a count of units,
//! so that the fullest region and the one with the most loose units are found in a few steps.

use crate::store::platform::mapping::{OS_PAGE_BYTES, PREPARED_BYTES};

/// Bytes of a region.
pub const REGION_BYTES: usize = 1 << 20;
/// Units of a region.
pub const UNITS: usize = REGION_BYTES / OS_PAGE_BYTES;
/// Units that are prepared at once.
const PREPARED_UNITS: usize = PREPARED_BYTES / OS_PAGE_BYTES;

/// The two sizes of pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageSize {
    /// 4 KiB, for blocks up to 256 bytes.
    Small,
    /// 16 KiB, for blocks up to 2 KiB.
    Large,
}

impl PageSize {
    /// Bytes of such a page; it is aligned to as many.
    pub const fn bytes(self) -> usize {
        match self {
            Self::Small => 4 * 1_024,
            Self::Large => 16 * 1_024,
        }
    }
}

/// A set of a region's units.
pub type Units = [u64; UNITS / 64];

const NO_UNITS: Units = [0; UNITS / 64];
const NONE: u32 = u32::MAX;

/// In a list by fullness: the pages of one size, or regions without a page in use.
const BY_FULLNESS: usize = 0;
/// In the list by loose units.
const BY_LOOSE: usize = 1;
/// The list of regions without a page in use; those of the page sizes come before.
const IDLE: usize = 2;

/// The regions of the process.
#[derive(Debug)]
pub struct Regions {
    all: Vec<Region>,
    /// Regions with a free page, by units in use; those without a page in use by loose units.
    by_fullness: [Lists; 3],
    /// Regions with loose units, by their number.
    by_loose: Lists,
    used_units: usize,
    loose_units: usize,
}

#[derive(Debug)]
struct Region {
    start: usize,
    /// Size of its pages. Invariants: it is `None` exactly as long as no unit is in use, and in a region of large
    /// pages the units of a page are all free or all in use.
    size: Option<PageSize>,
    free: Units,
    touched: Units,
    /// Units that are not free. Invariant: `UNITS` less those in `free`.
    used: u16,
    /// Invariant: as many as there are in both `free` and `touched`.
    loose: u16,
    links: [Links; 2],
}

#[derive(Clone, Copy, Debug)]
struct Links {
    previous: u32,
    next: u32,
}

/// Lists of regions, one for each count of units.
#[derive(Debug)]
struct Lists {
    which: usize,
    heads: [u32; UNITS + 1],
    /// Bit `n` is set if list `n` has a region.
    filled: [u64; UNITS / 64 + 1],
}

impl Lists {
    const fn new(which: usize) -> Self {
        Self { which, heads: [NONE; UNITS + 1], filled: [0; UNITS / 64 + 1] }
    }

    fn insert(&mut self, regions: &mut [Region], id: u32, count: u16) {
        let count = usize::from(count);
        let next = std::mem::replace(&mut self.heads[count], id);
        regions[id as usize].links[self.which] = Links { previous: NONE, next };
        if next != NONE {
            regions[next as usize].links[self.which].previous = id;
        }
        self.filled[count / 64] |= 1 << (count % 64);
    }

    fn remove(&mut self, regions: &mut [Region], id: u32, count: u16) {
        let count = usize::from(count);
        let Links { previous, next } = regions[id as usize].links[self.which];
        if next != NONE {
            regions[next as usize].links[self.which].previous = previous;
        }
        if previous == NONE {
            self.heads[count] = next;
            if next == NONE {
                self.filled[count / 64] &= !(1 << (count % 64));
            }
        } else {
            regions[previous as usize].links[self.which].next = next;
        }
    }

    /// A region from the list of the highest count.
    fn highest(&self) -> Option<u32> {
        let word = self.filled.iter().rposition(|&word| word != 0)?;
        let count = word * 64 + 63 - self.filled[word].leading_zeros() as usize;
        Some(self.heads[count])
    }
}

impl Region {
    /// Whether its invariants hold.
    fn is_consistent(&self) -> bool {
        let loose = self.free.iter().zip(&self.touched).map(|(free, touched)| (free & touched).count_ones());
        let free = self.free.iter().map(|word| word.count_ones()).sum::<u32>();
        usize::from(self.used) + free as usize == UNITS
            && loose.sum::<u32>() == u32::from(self.loose)
            && self.size.is_none() == (self.used == 0)
            && (self.size != Some(PageSize::Large)
                || self.free.iter().all(|&word| groups_of(word, PageSize::Large.bytes() / OS_PAGE_BYTES) == word))
    }

    /// Where it is among the lists by fullness: which of them, and under which count. `None` if it has no free page.
    fn fullness(&self) -> Option<(usize, u16)> {
        match self.size {
            None => Some((IDLE, self.loose)),
            Some(size) if usize::from(self.used) < UNITS => Some((size as usize, self.used)),
            Some(_) => None,
        }
    }
}

impl Regions {
    /// No regions.
    pub const fn new() -> Self {
        Self {
            all: Vec::new(),
            by_fullness: [Lists::new(BY_FULLNESS), Lists::new(BY_FULLNESS), Lists::new(BY_FULLNESS)],
            by_loose: Lists::new(BY_LOOSE),
            used_units: 0,
            loose_units: 0,
        }
    }

    /// Adds `count` untouched regions from an address on and returns the number of the first, or `None` if there is no
    /// memory to know them by.
    pub fn add(&mut self, start: usize, count: usize) -> Option<u32> {
        self.all.try_reserve(count).ok()?;
        let first = self.all.len();
        // Lowest address last, so that it comes first in its list.
        for n in 0..count {
            self.all.push(Region {
                start: start + n * REGION_BYTES,
                size: None,
                free: [u64::MAX; UNITS / 64],
                touched: NO_UNITS,
                used: 0,
                loose: 0,
                links: [Links { previous: NONE, next: NONE }; 2],
            });
        }
        for n in (first..first + count).rev() {
            self.enlist(n as u32);
        }
        Some(first as u32)
    }

    /// Bytes of pages in use.
    pub fn used_bytes(&self) -> usize {
        self.used_units * OS_PAGE_BYTES
    }

    /// Bytes that have memory and are not in use.
    pub fn loose_bytes(&self) -> usize {
        self.loose_units * OS_PAGE_BYTES
    }

    /// Address of a region.
    pub fn start(&self, id: u32) -> usize {
        self.all[id as usize].start
    }

    /// Takes a page from the fullest region that has one, so that the others can become empty; its address. Of a
    /// region's pages one that has memory is preferred. For others `prepare` gets an address and a number of bytes: the
    /// page, and where much is prepared at once the free ones beside it. If it returns `false`, nothing is taken.
    pub fn take(&mut self, size: PageSize, prepare: impl FnOnce(usize, usize) -> bool) -> Option<usize> {
        let id = self.by_fullness[size as usize].highest().or_else(|| self.by_fullness[IDLE].highest())?;
        self.change(id, |region| {
            let units = size.bytes() / OS_PAGE_BYTES;
            let word = (0..region.free.len())
                .find(|&n| region.free[n] & region.touched[n] != 0)
                .or_else(|| (0..region.free.len()).find(|&n| region.free[n] != 0))?;
            let loose = region.free[word] & region.touched[word];
            let bit = if loose == 0 { region.free[word] } else { loose }.trailing_zeros() as usize / units * units;
            let page = ((1 << units) - 1) << bit;
            debug_assert_eq!(region.free[word] & page, page, "a page is free as a whole");
            if region.touched[word] & page != page {
                // Units beside it that are not free are left alone: their memory may be given back just now.
                let around = groups_of(page, units.max(PREPARED_UNITS));
                let prepared = if region.free[word] & around == around { around } else { page };
                let first = word * 64 + prepared.trailing_zeros() as usize;
                if !prepare(region.start + first * OS_PAGE_BYTES, prepared.count_ones() as usize * OS_PAGE_BYTES) {
                    return None;
                }
                region.loose += (prepared & !region.touched[word]).count_ones() as u16;
                region.touched[word] |= prepared;
            }
            region.size = Some(size);
            region.loose -= units as u16;
            region.free[word] &= !page;
            region.used += units as u16;
            Some(region.start + (word * 64 + bit) * OS_PAGE_BYTES)
        })
    }

    /// Takes a page back. It came from this region.
    pub fn give_back(&mut self, id: u32, address: usize, size: PageSize) {
        self.change(id, |region| {
            let units = size.bytes() / OS_PAGE_BYTES;
            let unit = (address - region.start) / OS_PAGE_BYTES;
            let page = ((1 << units) - 1) << (unit % 64);
            debug_assert_eq!(region.free[unit / 64] & page, 0, "a page is given back once");
            region.free[unit / 64] |= page;
            region.loose += units as u16;
            region.used -= units as u16;
        });
    }

    /// Takes the loose units of the region that has most of them, so that their memory can be given back without the
    /// lock. Until [`Regions::return_clean`] they are in use. Except among small pages, all of a large page is taken
    /// with a unit of it: the next large page must not lie on units that are being given back. And where a page of the
    /// operating system has several units, `os_page_units`, those of it that are free are taken together: it is given
    /// back as a whole or not at all, and they may have become free one after the other.
    pub fn take_loose(&mut self, os_page_units: usize) -> Option<(u32, Units)> {
        let id = self.by_loose.highest()?;
        let units = self.change(id, |region| {
            let group = match *region.size.get_or_insert(PageSize::Large) {
                PageSize::Small => os_page_units,
                PageSize::Large => os_page_units.max(PageSize::Large.bytes() / OS_PAGE_BYTES),
            };
            let mut units = NO_UNITS;
            for (n, word) in units.iter_mut().enumerate() {
                let loose = region.free[n] & region.touched[n];
                *word = groups_of(loose, group) & region.free[n];
                region.free[n] &= !*word;
                region.touched[n] &= !*word;
                region.used += word.count_ones() as u16;
            }
            region.loose = 0;
            units
        });
        Some((id, units))
    }

    /// Takes units back that have no memory any more.
    pub fn return_clean(&mut self, id: u32, units: &Units) {
        self.change(id, |region| {
            for (free, unit) in region.free.iter_mut().zip(units) {
                debug_assert_eq!(*free & unit, 0, "units are returned once");
                *free |= unit;
                region.used -= unit.count_ones() as u16;
            }
        });
    }

    /// Changes a region and puts it into the lists where it then belongs.
    fn change<T>(&mut self, id: u32, change: impl FnOnce(&mut Region) -> T) -> T {
        let region = &self.all[id as usize];
        let (fullness, loose) = (region.fullness(), region.loose);
        self.used_units -= usize::from(region.used);
        self.loose_units -= usize::from(loose);
        if let Some((list, count)) = fullness {
            self.by_fullness[list].remove(&mut self.all, id, count);
        }
        if loose > 0 {
            self.by_loose.remove(&mut self.all, id, loose);
        }
        let region = &mut self.all[id as usize];
        let answer = change(region);
        if region.used == 0 {
            region.size = None;
        }
        self.enlist(id);
        answer
    }

    fn enlist(&mut self, id: u32) {
        let region = &self.all[id as usize];
        debug_assert!(region.is_consistent(), "{region:?}");
        let (fullness, loose) = (region.fullness(), region.loose);
        self.used_units += usize::from(region.used);
        self.loose_units += usize::from(loose);
        debug_assert!(self.used_units + self.loose_units <= self.all.len() * UNITS);
        if let Some((list, count)) = fullness {
            self.by_fullness[list].insert(&mut self.all, id, count);
        }
        if loose > 0 {
            self.by_loose.insert(&mut self.all, id, loose);
        }
    }
}

/// All units of the aligned groups of so many that have one of these; of one word of a set.
fn groups_of(units: u64, count: usize) -> u64 {
    let groups = (0..64).step_by(count).map(|first| (u64::MAX >> (64 - count)) << first);
    groups.filter(|group| units & group != 0).sum()
}

/// The stretches of a set of units, as first unit and number.
pub fn stretches(units: &Units) -> impl Iterator<Item = (usize, usize)> + '_ {
    let is_in = |unit: usize| unit < UNITS && units[unit / 64] >> (unit % 64) & 1 == 1;
    let mut at = 0;
    std::iter::from_fn(move || {
        let first = (at..UNITS).find(|&unit| is_in(unit))?;
        let end = (first..=UNITS).find(|&unit| !is_in(unit))?;
        at = end;
        Some((first, end - first))
    })
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const SMALL: PageSize = PageSize::Small;
    const LARGE: PageSize = PageSize::Large;

    /// Regions at made-up addresses: nothing here touches the memory.
    fn regions(count: usize) -> Regions {
        let mut regions = Regions::new();
        regions.add(0, count).unwrap();
        regions
    }

    fn take(regions: &mut Regions, size: PageSize) -> Option<usize> {
        regions.take(size, |_, _| true)
    }

    fn give(regions: &mut Regions, address: usize, size: PageSize) {
        regions.give_back((address / REGION_BYTES) as u32, address, size);
    }

    #[test]
    fn a_page_comes_from_the_fullest_region() {
        let mut regions = regions(3);
        let pages: Vec<_> = (0..3 * UNITS).map(|_| take(&mut regions, SMALL).unwrap()).collect();
        assert_eq!(take(&mut regions, SMALL), None);
        // Two pages of the first region, one of the second, all of the third.
        for page in [5, 6, UNITS + 9].into_iter().chain(2 * UNITS..3 * UNITS) {
            give(&mut regions, pages[page], SMALL);
        }
        assert_eq!(take(&mut regions, SMALL).unwrap() / REGION_BYTES, 1);
        assert_eq!(take(&mut regions, SMALL).unwrap() / REGION_BYTES, 0);
        assert_eq!(take(&mut regions, SMALL).unwrap() / REGION_BYTES, 0);
        // The third is empty and serves either size.
        assert_eq!(take(&mut regions, LARGE).unwrap() / REGION_BYTES, 2);
        assert_eq!(take(&mut regions, SMALL), None);
    }

    #[test]
    fn loose_units_are_taken_where_most_of_them_are_and_count_until_then() {
        let mut regions = regions(2);
        let pages: Vec<_> = (0..2 * UNITS).map(|_| take(&mut regions, SMALL).unwrap()).collect();
        for page in [1, 2, 4, UNITS + 3] {
            give(&mut regions, pages[page], SMALL);
        }
        assert_eq!(regions.loose_bytes(), 4 * OS_PAGE_BYTES);
        let (id, units) = regions.take_loose(1).unwrap();
        assert_eq!((id, stretches(&units).collect::<Vec<_>>()), (0, vec![(1, 2), (4, 1)]));
        // While its memory is given back, a unit counts as in use.
        assert_eq!((regions.loose_bytes(), regions.used_bytes()), (OS_PAGE_BYTES, (2 * UNITS - 1) * OS_PAGE_BYTES));
        assert_eq!((take(&mut regions, SMALL), take(&mut regions, SMALL)), (Some(pages[UNITS + 3]), None));
        regions.return_clean(id, &units);
        assert_eq!((regions.loose_bytes(), regions.used_bytes()), (0, (2 * UNITS - 3) * OS_PAGE_BYTES));
        assert_eq!(regions.take_loose(1), None);
        assert_eq!(take(&mut regions, SMALL), Some(pages[1]));
    }

    /// Where a page of the operating system has four units, it is given back once the last of them is free.
    #[test]
    fn units_that_one_page_of_the_system_covers_are_given_back_together() {
        let mut regions = regions(1);
        let pages: Vec<_> = (0..UNITS).map(|_| take(&mut regions, SMALL).unwrap()).collect();
        give(&mut regions, pages[4], SMALL);
        let (id, units) = regions.take_loose(4).unwrap();
        assert_eq!(stretches(&units).collect::<Vec<_>>(), [(4, 1)]);
        regions.return_clean(id, &units);
        for page in [6, 5, 7] {
            give(&mut regions, pages[page], SMALL);
        }
        let (id, units) = regions.take_loose(4).unwrap();
        assert_eq!(stretches(&units).collect::<Vec<_>>(), [(4, 4)]);
        regions.return_clean(id, &units);
        assert_eq!((regions.loose_bytes(), regions.used_bytes()), (0, (UNITS - 4) * OS_PAGE_BYTES));
    }

    #[test]
    fn a_page_whose_memory_is_refused_stays_free() {
        let mut regions = regions(1);
        assert_eq!(regions.take(SMALL, |_, _| false), None);
        assert_eq!((regions.loose_bytes(), regions.used_bytes()), (0, 0));
        let page = take(&mut regions, LARGE).unwrap();
        give(&mut regions, page, LARGE);
        // It has memory, so none is asked for.
        assert_eq!(regions.take(LARGE, |_, _| false), Some(page));
    }

    /// Where a region's pages are of the large size next, memory of small ones that were there before is given back
    /// with the large pages that it lies in, so that none of these is taken meanwhile.
    #[test]
    fn a_large_page_is_not_taken_where_a_part_of_it_is_being_given_back() {
        for large_pages_first in [0, 1] {
            let mut regions = regions(1);
            let pages: Vec<_> = (0..17).map(|_| take(&mut regions, SMALL).unwrap()).collect();
            for page in pages {
                give(&mut regions, page, SMALL);
            }
            let mut used: Vec<_> = (0..large_pages_first).map(|_| take(&mut regions, LARGE).unwrap()).collect();
            let (id, units) = regions.take_loose(1).unwrap();
            used.extend(std::iter::from_fn(|| take(&mut regions, LARGE)));
            for (first, count) in stretches(&units) {
                let (from, to) = (first * OS_PAGE_BYTES, (first + count) * OS_PAGE_BYTES);
                let taken_twice = used.iter().find(|&&page| page < to && page + LARGE.bytes() > from);
                assert_eq!(taken_twice, None, "of {used:?}, while {from}..{to} is given back");
            }
            regions.return_clean(id, &units);
            used.extend(std::iter::from_fn(|| take(&mut regions, LARGE)));
            assert_eq!(used.len(), REGION_BYTES / LARGE.bytes());
            for page in used {
                give(&mut regions, page, LARGE);
            }
            assert_eq!((regions.used_bytes(), regions.loose_bytes()), (0, REGION_BYTES));
        }
    }

    /// Properties: pages in use never overlap and are aligned; used and loose bytes are what a naive count returns; in
    /// the end nothing is in use.
    #[test]
    fn regions_agree_with_a_naive_count() {
        for seed in 1..=4 {
            run(seed);
        }
    }

    fn run(seed: u64) {
        let mut state = seed;
        let mut below = |limit: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize % limit
        };
        let mut regions = regions(4);
        let mut held: Vec<(usize, PageSize)> = Vec::new();
        let mut touched = [false; 4 * UNITS];
        // Being given back, for a while.
        let mut taken: Vec<(u32, Units)> = Vec::new();
        let units_of =
            |&(address, size): &(usize, PageSize)| address / OS_PAGE_BYTES..(address + size.bytes()) / OS_PAGE_BYTES;
        for step in 0..20_000 {
            let wanted = if step / 2_000 % 2 == 0 { 6 } else { 3 };
            match below(10) {
                n if n < wanted => {
                    let size = if below(3) == 0 { LARGE } else { SMALL };
                    let (is_refused, mut prepared) = (below(20) == 0, None);
                    let address = regions.take(size, |start, bytes| {
                        prepared = Some((start / OS_PAGE_BYTES, bytes / OS_PAGE_BYTES));
                        !is_refused
                    });
                    if let Some((first, count)) = prepared.filter(|_| !is_refused) {
                        touched[first..][..count].fill(true);
                    }
                    assert!(address.is_none() || prepared.is_none() || !is_refused);
                    if let Some(address) = address {
                        assert_eq!(address % size.bytes(), 0);
                        held.push((address, size));
                        assert!(units_of(&(address, size)).all(|unit| touched[unit]), "a page is prepared");
                    }
                }
                9 if taken.len() < 3 && below(2) == 0 => {
                    if let Some((id, units)) = regions.take_loose([1, 4, 16][below(3)]) {
                        for (first, count) in stretches(&units) {
                            touched[id as usize * UNITS + first..][..count].fill(false);
                        }
                        taken.push((id, units));
                    }
                }
                9 if !taken.is_empty() => {
                    let (id, units) = taken.swap_remove(below(taken.len()));
                    regions.return_clean(id, &units);
                }
                _ if held.is_empty() => {}
                _ => {
                    let (address, size) = held.swap_remove(below(held.len()));
                    give(&mut regions, address, size);
                }
            }
            if step % 500 == 0 {
                let mut used = [false; 4 * UNITS];
                let given_back = taken.iter().flat_map(|(id, units)| {
                    stretches(units)
                        .flat_map(|(first, count)| first..first + count)
                        .map(|unit| *id as usize * UNITS + unit)
                });
                for unit in held.iter().flat_map(units_of).chain(given_back) {
                    assert!(!std::mem::replace(&mut used[unit], true), "seed {seed}: unit {unit} is used twice");
                }
                let loose = touched.iter().zip(used).filter(|&(&touched, used)| touched && !used).count();
                let used = used.iter().filter(|&&used| used).count();
                let told = (regions.used_bytes() / OS_PAGE_BYTES, regions.loose_bytes() / OS_PAGE_BYTES);
                assert_eq!(told, (used, loose), "seed {seed}, step {step}");
            }
        }
        for (address, size) in held.drain(..) {
            give(&mut regions, address, size);
        }
        for (id, units) in &taken {
            regions.return_clean(*id, units);
        }
        assert_eq!(regions.used_bytes(), 0, "seed {seed}");
    }
}
