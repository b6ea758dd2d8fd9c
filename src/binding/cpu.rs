//! Refuses a processor that lacks what this build assumes, before an instruction that it does not know ends the
//! process.
//!
//! The published builds assume nothing that Node.js does not need itself. One made with `-C target-cpu=native` assumes
//! what the processor has that it was made on.

/// The text of the error, which `lib/addon/diagnose.js` knows.
#[cfg_attr(not(target_arch = "x86_64"), expect(dead_code, reason = "processors of other kinds are not asked"))]
fn text_of(missing: &[&str]) -> String {
    format!("the addon was built for a processor with '{}', which this one lacks", missing.join(", "))
}

/// Fails if the processor lacks what this build assumes.
#[cfg(target_arch = "x86_64")]
pub fn check() -> Result<(), String> {
    let missing = x86::missing(x86::ASSUMED, &x86::ask());
    if missing.is_empty() { Ok(()) } else { Err(text_of(&missing)) }
}

/// Other processors are not asked: builds for them assume what the first of their kind had, as Node.js does.
#[cfg(not(target_arch = "x86_64"))]
pub fn check() -> Result<(), String> {
    Ok(())
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{__cpuid, __cpuid_count};

    /// What a processor says of itself: `ecx` of leaf 1, `ebx` of leaf 7, `ecx` of leaf `0x8000_0001`.
    pub type Answer = [u32; 3];

    /// A feature: its name, whether this build assumes it, and where the processor says that it has it.
    pub type Feature = (&'static str, bool, usize, u32);

    macro_rules! features {
        ($($name:literal $word:literal $bit:literal;)+) => {
            &[$(($name, cfg!(target_feature = $name), $word, $bit)),+]
        };
    }

    /// Those that compilers make use of by themselves. `is_x86_feature_detected!` does not serve: it takes for granted
    /// what the build assumes.
    pub const ASSUMED: &[Feature] = features! {
        "sse3" 0 0;
        "ssse3" 0 9;
        "fma" 0 12;
        "sse4.1" 0 19;
        "sse4.2" 0 20;
        "movbe" 0 22;
        "popcnt" 0 23;
        "aes" 0 25;
        "avx" 0 28;
        "bmi1" 1 3;
        "avx2" 1 5;
        "bmi2" 1 8;
        "avx512f" 1 16;
        "lzcnt" 2 5;
    };

    /// Asks the processor.
    #[allow(unused_unsafe, reason = "newer compilers know that every x86-64 processor can be asked")]
    pub fn ask() -> Answer {
        // SAFETY: every x86-64 processor has the instruction and answers with zeros where it knows no such leaf, which
        // is seen to for leaf 7.
        unsafe {
            let has_leaf_7 = __cpuid(0).eax >= 7;
            let leaf_7 = if has_leaf_7 { __cpuid_count(7, 0).ebx } else { 0 };
            [__cpuid(1).ecx, leaf_7, __cpuid(0x8000_0001).ecx]
        }
    }

    /// Names of the features that are assumed and not there.
    pub fn missing(features: &[Feature], answer: &Answer) -> Vec<&'static str> {
        let is_missing = |&&(_, is_assumed, word, bit): &&Feature| is_assumed && answer[word] & (1 << bit) == 0;
        features.iter().filter(is_missing).map(|&(name, ..)| name).collect()
    }
}

#[cfg(all(test, target_arch = "x86_64"))]
mod tests {
    use super::x86::{ASSUMED, Feature, ask, missing};

    #[test]
    fn this_processor_has_what_this_build_assumes() {
        assert_eq!(super::check(), Ok(()));
    }

    #[test]
    fn what_is_assumed_and_not_there_is_named() {
        let all: Vec<Feature> = ASSUMED.iter().map(|&(name, _, word, bit)| (name, true, word, bit)).collect();
        assert_eq!(missing(&all, &[u32::MAX; 3]), [""; 0]);
        assert_eq!(missing(&all, &[u32::MAX, !(1 << 5), u32::MAX]), ["avx2"]);
        assert_eq!(missing(&all, &[!(1 << 28 | 1 << 20), u32::MAX, u32::MAX]), ["sse4.2", "avx"]);
        assert_eq!(super::text_of(&["avx2"]), "the addon was built for a processor with 'avx2', which this one lacks");
    }

    #[test]
    fn the_processor_answers_as_the_standard_library_knows_it() {
        let all: Vec<Feature> = ASSUMED.iter().map(|&(name, _, word, bit)| (name, true, word, bit)).collect();
        let missing = missing(&all, &ask());
        for (name, is_there) in [
            ("sse3", is_x86_feature_detected!("sse3")),
            ("popcnt", is_x86_feature_detected!("popcnt")),
            ("aes", is_x86_feature_detected!("aes")),
            ("bmi2", is_x86_feature_detected!("bmi2")),
            ("lzcnt", is_x86_feature_detected!("lzcnt")),
        ] {
            assert_eq!(missing.contains(&name), !is_there, "{name}");
        }
    }
}
