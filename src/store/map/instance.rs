//! Numbers of maps, which handles carry.
//!
//! They distinguish the maps of one image of the store, and must not be taken for those of another image in the same
//! process: two copies of the package can be loaded at once, and a handle can be sent from one to the other. So they
//! begin at a random number.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use crate::store::platform::sync::Ordering;
use crate::store::platform::sync::process::{AtomicU32, OnceLock};

/// Numbers are below this, so that each of them, and its complement, is a small integer to every engine.
const END: u32 = 1 << 30;

/// A random number that stands for this image of the store as long as the process lives.
pub fn image() -> u64 {
    static IMAGE: OnceLock<u64> = OnceLock::new();
    // The standard library seeds these from the system.
    *IMAGE.get_or_init(|| RandomState::new().hash_one(0_u32))
}

/// The number of a new map: from 1 to END - 1, and different from that of any other, unless there were a thousand
/// million since.
pub(crate) fn next() -> u32 {
    static MADE: AtomicU32 = AtomicU32::new(0);
    nth(image(), MADE.fetch_add(1, Ordering::Relaxed))
}

fn nth(image: u64, made: u32) -> u32 {
    let numbers = u64::from(END - 1);
    ((image % numbers + u64::from(made)) % numbers) as u32 + 1
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_small_and_never_zero() {
        for image in [0, 1, u64::from(END) - 3, u64::from(END) - 2, u64::from(END) - 1, u64::MAX, image()] {
            let first: Vec<_> = (0..4).map(|made| nth(image, made)).collect();
            assert!(first.iter().all(|&number| number > 0 && number < END), "{first:?}");
            for pair in first.windows(2) {
                assert!(pair[1] == pair[0] + 1 || (pair[0] == END - 1 && pair[1] == 1), "{first:?}");
            }
        }
    }

    #[test]
    fn other_images_begin_elsewhere() {
        assert_ne!(nth(1 << 40, 0), nth(2 << 40, 0));
        assert_eq!(image(), image());
    }
}
