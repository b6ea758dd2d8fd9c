//! What this build assumes of the processor, in a note that `lib/addon/executable.js` reads before the addon is loaded:
//! its first instruction may be one that the processor does not know, which would end the process.
//!
//! The published builds assume nothing that Node.js does not need itself. One made with `-C target-cpu=native` assumes
//! what the processor has that it was made on. Notes are at the beginning of a file.

/// Bytes of the note's text; the rest are blanks.
const TEXT_BYTES: usize = 128;

/// A note, as ELF has it: sizes of its name and its text, its type, both.
#[repr(C, align(4))]
struct Note {
    name_bytes: u32,
    text_bytes: u32,
    kind: u32,
    name: [u8; 4],
    text: [u8; TEXT_BYTES],
}

/// Kept by the linker, since it is a note.
#[used]
#[unsafe(link_section = ".note.typed-superdashmap")]
static NOTE: Note = Note { name_bytes: 4, text_bytes: TEXT_BYTES as u32, kind: 1, name: *b"map\0", text: text() };

/// Features that compilers make use of by themselves, as they and as Linux (`/proc/cpuinfo`) call them.
const fn text() -> [u8; TEXT_BYTES] {
    macro_rules! assumed {
        ($($feature:literal $name:literal;)+) => {
            [$(if cfg!(target_feature = $feature) { concat!($name, " ") } else { "" }),+]
        };
    }
    let features = assumed! {
        "sse3" "pni";
        "ssse3" "ssse3";
        "fma" "fma";
        "sse4.1" "sse4_1";
        "sse4.2" "sse4_2";
        "movbe" "movbe";
        "popcnt" "popcnt";
        "aes" "aes";
        "avx" "avx";
        "bmi1" "bmi1";
        "avx2" "avx2";
        "bmi2" "bmi2";
        "avx512f" "avx512f";
        "lzcnt" "abm";
    };
    let mut text = [b' '; TEXT_BYTES];
    let mut end = put(&mut text, 0, "typed-superdashmap assumes: ");
    let mut at = 0;
    while at < features.len() {
        end = put(&mut text, end, features[at]);
        at += 1;
    }
    text[TEXT_BYTES - 1] = b'\n';
    text
}

/// Writes a word at `start`; returns its end.
const fn put(text: &mut [u8; TEXT_BYTES], start: usize, word: &str) -> usize {
    let bytes = word.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        text[start + at] = bytes[at];
        at += 1;
    }
    start + bytes.len()
}
