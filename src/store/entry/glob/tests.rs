use super::*;

/// A small generator; messages have its seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    fn pick(&mut self, from: &[char], most: u64) -> String {
        (0..self.below(most)).map(|_| from[self.below(from.len() as u64) as usize]).collect()
    }
}

const SEED: u64 = 12;

fn glob(pattern: &str) -> Glob {
    Glob::new(Key::string(pattern)).unwrap()
}

/// The same by trying everything, from the table in the head of the file.
fn naive(pattern: &[char], text: &[char], folds: bool) -> bool {
    let is = |one: &char, other: &char| within(*one, *one, *other, folds);
    match pattern {
        [] => text.is_empty(),
        ['*', rest @ ..] => (0..=text.len()).any(|skipped| naive(rest, &text[skipped..], folds)),
        ['?', rest @ ..] => !text.is_empty() && naive(rest, &text[1..], folds),
        ['[', ..] => {
            let (members, rest) = brackets(&pattern[1..], folds);
            text.first().is_some_and(|first| members(*first)) && naive(rest, &text[1..], folds)
        }
        ['\\', escaped, rest @ ..] => {
            text.first().is_some_and(|first| is(escaped, first)) && naive(rest, &text[1..], folds)
        }
        [plain, rest @ ..] => text.first().is_some_and(|first| is(plain, first)) && naive(rest, &text[1..], folds),
    }
}

fn brackets(pattern: &[char], folds: bool) -> (Box<dyn Fn(char) -> bool + '_>, &[char]) {
    if let ['^', rest @ ..] = pattern {
        let (members, rest) = listed(rest);
        return (Box::new(move |character| !members.iter().any(|(a, b)| within(*a, *b, character, folds))), rest);
    }
    let (members, rest) = listed(pattern);
    (Box::new(move |character| members.iter().any(|(a, b)| within(*a, *b, character, folds))), rest)
}

/// Whether a range has a character, or one that differs from it in case only.
fn within(a: char, b: char, character: char, folds: bool) -> bool {
    let folded = |character: char| if folds { folding::fold(character.into()) } else { character.into() };
    (a.min(b)..=a.max(b)).any(|other| folded(other) == folded(character))
}

fn listed(pattern: &[char]) -> (Vec<(char, char)>, &[char]) {
    match pattern {
        [] => (Vec::new(), pattern),
        ['\\', escaped, rest @ ..] => more((*escaped, *escaped), rest),
        [']', rest @ ..] => (Vec::new(), rest),
        [first, '-', last, rest @ ..] => more((*first, *last), rest),
        [one, rest @ ..] => more((*one, *one), rest),
    }
}

fn more(member: (char, char), rest: &[char]) -> (Vec<(char, char)>, &[char]) {
    let (mut members, rest) = listed(rest);
    members.push(member);
    (members, rest)
}

#[test]
fn globs_mean_what_they_mean_in_redis() {
    for (pattern, yes, no) in [
        ("", &[""][..], &["a"][..]),
        ("*", &["", "a", "any/thing"], &[]),
        ("user:*", &["user:", "user:1"], &["user", "users:1", "a user:"]),
        ("h?llo", &["hello", "hallo", "héllo"], &["hllo", "heello"]),
        ("h[ae]llo", &["hello", "hallo"], &["hillo", "h[llo"]),
        ("h[^e]llo", &["hallo", "h^llo"], &["hello", "hllo"]),
        ("h[a-b]llo", &["hallo", "hbllo"], &["hcllo", "h-llo"]),
        ("h[b-a]llo", &["hallo", "hbllo"], &["hcllo"]),
        (r"a\*b", &["a*b"], &["ab", "axb", r"a\*b"]),
        (r"[\]]", &["]"], &[r"\", ""]),
        ("[]", &[], &["", "[]", "]"]),
        ("[^]", &["]", "x"], &["", "xy"]),
        ("[ab", &["a", "b"], &["[ab", "c"]),
        ("a\\", &["a\\"], &["a"]),
        ("a**b", &["ab", "axxb"], &["abc"]),
        ("*a*a*a*", &["aaa", "xaxaxax"], &["aa", "xaxa"]),
    ] {
        let mut glob = glob(pattern);
        for text in yes {
            assert!(glob.matches(Key::string(text)), "{pattern:?} and {text:?}");
        }
        for text in no {
            assert!(!glob.matches(Key::string(text)), "{pattern:?} and {text:?}");
        }
    }
}

#[test]
fn random_globs_match_as_the_naive_ones_do() {
    const PATTERN: [char; 14] = ['*', '*', '?', '[', ']', '^', '-', '\\', 'a', 'a', 'b', 'c', 'é', '𝄞'];
    const TEXT: [char; 9] = ['a', 'a', 'b', 'c', 'é', '𝄞', '-', ']', '^'];
    let mut random = Random(SEED);
    let mut matched = 0;
    for _ in 0..60_000 {
        let pattern = random.pick(&PATTERN, 9);
        let mut text = random.pick(&TEXT, 8);
        if random.below(2) == 0 {
            // Some that match by having the plain characters of the pattern.
            text = pattern.chars().filter(|character| TEXT.contains(character)).collect();
        }
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = naive(&characters(&pattern), &characters(&text), false);
        let mut glob = glob(&pattern);
        assert_eq!(glob.matches(Key::string(&text)), expected, "{pattern:?} and {text:?}, seed {SEED}");
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(glob.matches(Key::new(KeyKind::Utf16, &units)), expected, "{pattern:?} and {text:?} as UTF-16");
        matched += usize::from(expected);
    }
    assert!(matched > 6_000, "{matched} of 60,000 match");
}

/// More positions than a word has bits.
#[test]
fn long_globs_match_as_short_ones_do() {
    let mut random = Random(SEED);
    for _ in 0..2_000 {
        let pieces: Vec<String> =
            (0..2 + random.below(8)).map(|n| format!("{n}").repeat(random.below(60) as usize)).collect();
        let mut glob = glob(&format!("{}*", pieces.join("*?")));
        let text = pieces.join("--");
        assert!(glob.matches(Key::string(&text)));
        let without: String = text.chars().filter(|&character| character != '-').collect();
        assert_eq!(glob.matches(Key::string(&without)), naive_of(&pieces, &without), "{pieces:?}");
    }
}

fn naive_of(pieces: &[String], text: &str) -> bool {
    // Greedy: each piece at its first place is enough where any text may follow.
    let Some(mut rest) = text.strip_prefix(&pieces[0][..]) else { return false };
    pieces[1..].iter().all(|piece| {
        let found = rest
            .char_indices()
            .skip(1)
            .map(|(at, _)| at)
            .chain([rest.len()])
            .find(|&at| !rest.is_empty() && rest[at..].starts_with(&piece[..]));
        found.is_some_and(|at| {
            rest = &rest[at + piece.len()..];
            true
        })
    })
}

#[test]
fn lone_surrogates_are_characters_and_other_keys_match_nothing() {
    let units = |units: &[u16]| units.iter().flat_map(|unit| unit.to_le_bytes()).collect::<Vec<u8>>();
    let (lone, other) = (units(&[0x61, 0xd800]), units(&[0x61, 0xd801]));
    let (lone, other) = (Key::new(KeyKind::Utf16, &lone), Key::new(KeyKind::Utf16, &other));
    let mut itself = Glob::new(lone).unwrap();
    assert!(itself.matches(lone) && !itself.matches(other) && !itself.matches(Key::string("a")));
    assert!(glob("a?").matches(lone) && glob("a*").matches(lone) && glob("*").matches(lone));
    assert!(!glob("a").matches(lone) && !glob("b*").matches(lone) && !glob("a??").matches(lone));
    for key in
        [Key::new(KeyKind::Int, &[0; 4]), Key::new(KeyKind::Bytes, b"a"), Key::new(KeyKind::Null, &[]), Key::KEYLESS]
    {
        assert!(!glob("*").matches(key), "{key:?}");
    }
}

#[test]
fn a_glob_is_bounded_in_length() {
    assert!(Glob::new(Key::string(&"é".repeat(MAX_GLOB_CHARACTERS))).is_ok());
    let refused = Glob::new(Key::string(&"*".repeat(MAX_GLOB_CHARACTERS + 1)));
    assert!(matches!(refused, Err(Error::InvalidOption { option: "match", .. })));
}

/// Steps and not time: each character of the key costs a look at each word of the set, whatever the glob.
#[test]
fn what_takes_others_ages_is_done_at_once() {
    let text = "a".repeat(100_000);
    assert!(!glob(&format!("{}b", "*a".repeat(500))).matches(Key::string(&text)));
    assert!(glob(&"*a".repeat(500)).matches(Key::string(&text)));
}

#[test]
fn random_globs_ignore_case_as_the_naive_ones_do() {
    // Pairs whose halves lie on both sides of the other characters; the signs of Kelvin and of Angstrom, with two
    // spellings besides; the three sigmas.
    const PATTERN: [char; 22] = [
        '*', '*', '?', '[', '[', ']', '^', '-', '-', '\\', 'a', 'A', 'B', 'k', 'K', '\u{212a}', 'Å', '\u{212b}', 'Σ',
        'σ', 'ς', '_',
    ];
    const TEXT: [char; 14] = ['a', 'A', 'b', 'B', 'k', 'K', '\u{212a}', 'å', '\u{212b}', 'Σ', 'σ', 'ς', '_', '-'];
    let mut random = Random(SEED);
    let (mut matched, mut in_case) = (0, 0);
    for _ in 0..60_000 {
        let pattern = random.pick(&PATTERN, 8);
        let mut text = random.pick(&TEXT, 7);
        if random.below(2) == 0 {
            // The plain characters of the pattern, each in any of its spellings.
            let spelled = |of: char| {
                let is_one = |other: &&char| folding::fold((**other).into()) == folding::fold(of.into());
                let spellings: Vec<_> = TEXT.iter().filter(is_one).collect();
                (!spellings.is_empty()).then(|| *spellings[random.below(spellings.len() as u64) as usize])
            };
            text = pattern.chars().filter_map(spelled).collect();
        }
        let characters = |text: &str| text.chars().collect::<Vec<_>>();
        let expected = naive(&characters(&pattern), &characters(&text), true);
        let mut glob = Glob::in_case(Key::string(&pattern), true).unwrap();
        assert_eq!(glob.matches(Key::string(&text)), expected, "{pattern:?} and {text:?}, seed {SEED}");
        let units: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(glob.matches(Key::new(KeyKind::Utf16, &units)), expected, "{pattern:?} and {text:?} as UTF-16");
        matched += usize::from(expected);
        in_case += usize::from(naive(&characters(&pattern), &characters(&text), false));
    }
    assert!(in_case > 3_000 && matched > in_case + 1_000, "{matched} of 60,000 match, {in_case} with their case");
}
