//! Arithmetic of counters: what a number or a bigint becomes when a step is added to it.
//!
//! Called under a shard's lock, so nothing here allocates unless it refuses: bigints are added in an array on the
//! stack, which bounds their length.

use std::cmp::Ordering;

use super::value::ValueKind;
use crate::store::error::Error;

/// The largest number up to which all integers are exact, 2^53 − 1.
const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
/// 64-bit words of the longest bigint that is counted with: 4,096 bits.
const MAX_WORDS: usize = 64;
/// The longest value of a counter: a sign, and the words of a bigint.
pub const MAX_BYTES: usize = 1 + MAX_WORDS * size_of::<u64>();

/// What is added to an entry, and where that ends. Numbers are added to numbers only, and bigints to bigints.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// To a number.
    Number(NumberStep),
    /// To a bigint.
    BigInt(BigIntStep<'a>),
}

/// What is added to a number.
#[derive(Clone, Copy, Debug)]
pub struct NumberStep {
    /// What is added.
    pub by: f64,
    /// What it is added to where there is no entry.
    pub initial: f64,
    /// The least result, `-INFINITY` for none.
    pub min: f64,
    /// The greatest result, `INFINITY` for none.
    pub max: f64,
}

/// What is added to a bigint, each as the bytes of a [`ValueKind::BigInt`].
#[derive(Clone, Copy, Debug)]
pub struct BigIntStep<'a> {
    /// What is added.
    pub by: &'a [u8],
    /// What it is added to where there is no entry.
    pub initial: &'a [u8],
    /// The least result, if there is one.
    pub min: Option<&'a [u8]>,
    /// The greatest result, if there is one.
    pub max: Option<&'a [u8]>,
}

/// What adding led to. The bytes of the result are in the caller's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// It lies within the bounds.
    Within(ValueKind),
    /// It does not.
    Outside(ValueKind),
}

impl Step<'_> {
    /// Adds to a value, or to `initial` if there is none, and writes the result to `out`.
    #[inline]
    pub fn add(&self, to: Option<(ValueKind, &[u8])>, out: &mut Vec<u8>) -> Result<Sum, Error> {
        match self {
            Self::Number(step) => step.add(to, out),
            Self::BigInt(step) => step.add(to, out),
        }
    }

    /// What a counter is before the first step.
    pub fn initial(&self, out: &mut Vec<u8>) -> ValueKind {
        match self {
            Self::Number(step) => put_number(step.initial, out),
            Self::BigInt(step) => {
                put(out, step.initial);
                ValueKind::BigInt
            }
        }
    }

    /// The error for a result that lies outside of the bounds.
    pub fn refusal(&self, result: &[u8]) -> Error {
        match self {
            Self::Number(step) => number(result).map_or(Error::Broken, |sum| step.refusal(sum)),
            Self::BigInt(BigIntStep { min, max, .. }) => {
                let text = |bound: Option<&[u8]>, none: &str| bound.map_or_else(|| none.to_owned(), describe);
                let allowed = between(&text(*min, "-inf"), &text(*max, "inf"));
                Error::OutOfRange { reached: describe(result), allowed }
            }
        }
    }
}

fn between(min: &str, max: &str) -> String {
    match (min, max) {
        ("-inf", max) => format!("up to {max}"),
        (min, "inf") => format!("from {min} on"),
        (min, max) => format!("from {min} to {max}"),
    }
}

fn put(out: &mut Vec<u8>, bytes: &[u8]) {
    out.clear();
    out.extend_from_slice(bytes);
}

/// Writes a number as a value, and returns its kind.
#[inline]
fn put_number(number: f64, out: &mut Vec<u8>) -> ValueKind {
    let int = number as i32;
    // Bits are compared, because −0 is no integer.
    if f64::from(int).to_bits() == number.to_bits() {
        put(out, &int.to_le_bytes());
        ValueKind::Int
    } else {
        put(out, &number.to_le_bytes());
        ValueKind::Float
    }
}

/// The number that a value is.
#[inline]
fn number(bytes: &[u8]) -> Option<f64> {
    if let Ok(bytes) = bytes.try_into() {
        return Some(f64::from(i32::from_le_bytes(bytes)));
    }
    bytes.try_into().ok().map(f64::from_le_bytes)
}

/// The result of an addition of numbers, if it is one that still counts.
#[inline]
pub fn sum_of(number: f64, by: f64) -> Result<f64, Error> {
    let sum = number + by;
    // True for no `NaN`.
    if sum.abs() <= MAX_SAFE {
        return Ok(sum);
    }
    Err(not_exact(sum))
}

#[cold]
fn not_exact(sum: f64) -> Error {
    let allowed = format!("from {} to {MAX_SAFE}", -MAX_SAFE);
    Error::OutOfRange { reached: sum.to_string(), allowed }
}

impl NumberStep {
    /// What adding to a number, or to `initial` if there is none, leads to; and whether that is within the bounds.
    #[inline]
    pub fn sum(&self, before: Option<f64>) -> Result<(f64, bool), Error> {
        let sum = sum_of(before.unwrap_or(self.initial), self.by)?;
        Ok((sum, sum >= self.min && sum <= self.max))
    }

    /// The error for a sum that lies outside of the bounds.
    pub fn refusal(&self, sum: f64) -> Error {
        let allowed = between(&self.min.to_string(), &self.max.to_string());
        Error::OutOfRange { reached: sum.to_string(), allowed }
    }

    #[inline]
    fn add(&self, to: Option<(ValueKind, &[u8])>, out: &mut Vec<u8>) -> Result<Sum, Error> {
        let before = match to {
            None => None,
            Some((ValueKind::Int | ValueKind::Float, bytes)) => Some(number(bytes).ok_or(Error::Broken)?),
            Some((found, _)) => return Err(Error::WrongKind { expected: "a number", found: found.noun() }),
        };
        let (sum, is_within) = self.sum(before)?;
        let kind = put_number(sum, out);
        Ok(if is_within { Sum::Within(kind) } else { Sum::Outside(kind) })
    }
}

impl BigIntStep<'_> {
    #[inline(never)]
    fn add(&self, to: Option<(ValueKind, &[u8])>, out: &mut Vec<u8>) -> Result<Sum, Error> {
        let before = match to {
            None => self.initial,
            Some((ValueKind::BigInt, bytes)) => bytes,
            Some((found, _)) => return Err(Error::WrongKind { expected: "a bigint", found: found.noun() }),
        };
        let sum = BigInt::read(before)?.plus(&BigInt::read(self.by)?)?;
        sum.write(out);
        let is_within = |bound: Option<&[u8]>, wrong: Ordering| -> Result<bool, Error> {
            bound.map_or(Ok(true), |bound| Ok(sum.compare(&BigInt::read(bound)?) != wrong))
        };
        let fits = is_within(self.min, Ordering::Less)? && is_within(self.max, Ordering::Greater)?;
        Ok(if fits { Sum::Within(ValueKind::BigInt) } else { Sum::Outside(ValueKind::BigInt) })
    }
}

/// A bigint for counting. Invariant: the words from `len` on are 0, and the one before `len` is not; zero is not
/// negative.
struct BigInt {
    negative: bool,
    len: usize,
    words: [u64; MAX_WORDS],
}

impl BigInt {
    fn read(bytes: &[u8]) -> Result<Self, Error> {
        let (sign, magnitude) = bytes.split_first().ok_or(Error::Broken)?;
        let (chunks, _) = magnitude.as_chunks::<8>();
        let used = chunks.iter().rposition(|chunk| *chunk != [0; 8]).map_or(0, |last| last + 1);
        if used > MAX_WORDS {
            return Err(too_long());
        }
        let mut words = [0; MAX_WORDS];
        for (word, chunk) in words.iter_mut().zip(&chunks[..used]) {
            *word = u64::from_le_bytes(*chunk);
        }
        Ok(Self { negative: *sign != 0 && used > 0, len: used, words })
    }

    fn write(&self, out: &mut Vec<u8>) {
        out.clear();
        out.push(u8::from(self.negative));
        out.extend(self.words[..self.len].iter().flat_map(|word| word.to_le_bytes()));
    }

    /// How far from zero it is, compared with another.
    fn compare_magnitudes(&self, other: &Self) -> Ordering {
        self.words.iter().rev().cmp(other.words.iter().rev())
    }

    fn compare(&self, other: &Self) -> Ordering {
        match (self.negative, other.negative) {
            (false, true) => Ordering::Greater,
            (true, false) => Ordering::Less,
            (false, false) => self.compare_magnitudes(other),
            (true, true) => other.compare_magnitudes(self),
        }
    }

    fn plus(&self, other: &Self) -> Result<Self, Error> {
        if self.negative == other.negative {
            let (words, carry) = combine(self, other, u64::overflowing_add);
            return if carry { Err(too_long()) } else { Ok(Self::new(self.negative, &words)) };
        }
        let (greater, less) = if self.compare_magnitudes(other).is_lt() { (other, self) } else { (self, other) };
        Ok(Self::new(greater.negative, &combine(greater, less, u64::overflowing_sub).0))
    }

    fn new(negative: bool, words: &[u64; MAX_WORDS]) -> Self {
        let len = words.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        Self { negative: negative && len > 0, len, words: *words }
    }
}

/// Adds or subtracts word by word; whether something is carried over at the end.
fn combine(one: &BigInt, other: &BigInt, by_word: fn(u64, u64) -> (u64, bool)) -> ([u64; MAX_WORDS], bool) {
    let (mut words, mut carry) = ([0; MAX_WORDS], false);
    for (word, (one, other)) in words.iter_mut().zip(one.words.iter().zip(&other.words)) {
        let (without, first) = by_word(*one, *other);
        let (with, second) = by_word(without, u64::from(carry));
        (*word, carry) = (with, first || second);
    }
    (words, carry)
}

fn too_long() -> Error {
    Error::OutOfRange {
        reached: "longer".to_owned(),
        allowed: format!("bigints of up to {} bits", u64::BITS as usize * MAX_WORDS),
    }
}

/// A bigint as text, if it is not too long for a message.
fn describe(bytes: &[u8]) -> String {
    let Ok(big) = BigInt::read(bytes) else { return "a longer bigint".to_owned() };
    if big.len > 1 {
        return format!("a bigint of {} words", big.len);
    }
    format!("{}{}", if big.negative { "-" } else { "" }, big.words[0])
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    const ANY: NumberStep = NumberStep { by: 1.0, initial: 0.0, min: f64::NEG_INFINITY, max: f64::INFINITY };

    fn add(step: &Step<'_>, to: Option<(ValueKind, &[u8])>) -> (Result<Sum, Error>, Vec<u8>) {
        let mut out = vec![7; 3];
        (step.add(to, &mut out), out)
    }

    #[test]
    fn a_number_becomes_an_integer_where_it_is_one() {
        let sum = |number: f64, by: f64| {
            let step = Step::Number(NumberStep { by, ..ANY });
            let (sum, out) = add(&step, Some((ValueKind::Float, &number.to_le_bytes())));
            (sum.unwrap(), super::number(&out).unwrap())
        };
        assert_eq!(sum(1.5, 1.5), (Sum::Within(ValueKind::Int), 3.0));
        assert_eq!(sum(1.5, 1.0), (Sum::Within(ValueKind::Float), 2.5));
        assert_eq!(sum(2_147_483_647.0, 1.0), (Sum::Within(ValueKind::Float), 2_147_483_648.0));
        assert_eq!(sum(2_147_483_648.0, -1.0), (Sum::Within(ValueKind::Int), 2_147_483_647.0));
        assert_eq!(sum(-0.0, -0.0).0, Sum::Within(ValueKind::Float));
        let (sum, out) = add(&Step::Number(ANY), Some((ValueKind::Int, &(-1_i32).to_le_bytes())));
        assert_eq!((sum.unwrap(), out), (Sum::Within(ValueKind::Int), vec![0; 4]));
    }

    #[test]
    fn numbers_end_where_integers_are_not_exact_any_more() {
        let add_to = |number: f64, by: f64| {
            add(&Step::Number(NumberStep { by, ..ANY }), Some((ValueKind::Float, &number.to_le_bytes()))).0
        };
        assert_eq!(add_to(MAX_SAFE - 1.0, 1.0), Ok(Sum::Within(ValueKind::Float)));
        for (number, by) in [(MAX_SAFE, 1.0), (-MAX_SAFE, -1.0), (f64::NAN, 1.0), (f64::INFINITY, -1.0)] {
            assert!(matches!(add_to(number, by), Err(Error::OutOfRange { .. })), "{number} + {by}");
        }
    }

    #[test]
    fn bounds_hold_for_the_result() {
        let bounded = |by: f64| Step::Number(NumberStep { by, initial: 5.0, min: 0.0, max: 10.0 });
        assert_eq!(add(&bounded(5.0), None).0, Ok(Sum::Within(ValueKind::Int)));
        assert_eq!(add(&bounded(6.0), None).0, Ok(Sum::Outside(ValueKind::Int)));
        assert_eq!(add(&bounded(-6.0), None).0, Ok(Sum::Outside(ValueKind::Int)));
        let Error::OutOfRange { reached, allowed } = bounded(6.0).refusal(&11_i32.to_le_bytes()) else { panic!() };
        assert_eq!((reached.as_str(), allowed.as_str()), ("11", "from 0 to 10"));
    }

    #[test]
    fn another_value_is_not_counted() {
        let wrong = |step: &Step<'_>, kind| add(step, Some((kind, b"")));
        assert!(matches!(wrong(&Step::Number(ANY), ValueKind::String).0, Err(Error::WrongKind { .. })));
        assert!(matches!(wrong(&Step::Number(ANY), ValueKind::BigInt).0, Err(Error::WrongKind { .. })));
        let step = Step::BigInt(BigIntStep { by: &[0], initial: &[0], min: None, max: None });
        assert!(matches!(wrong(&step, ValueKind::Int).0, Err(Error::WrongKind { .. })));
    }

    fn big(number: i128) -> Vec<u8> {
        let magnitude = number.unsigned_abs().to_le_bytes();
        let used = magnitude.iter().rposition(|byte| *byte != 0).map_or(0, |last| last / 8 + 1);
        [&[u8::from(number < 0)], &magnitude[..8 * used]].concat()
    }

    #[test]
    fn bigints_are_added_as_128_bits_are() {
        let interesting = [0, 1, -1, 5, i128::from(u64::MAX), i128::from(u64::MAX) + 1, -i128::from(u64::MAX), 1 << 90];
        for one in interesting {
            for other in interesting {
                let (by, to) = (big(other), big(one));
                let step = Step::BigInt(BigIntStep { by: &by, initial: &[0], min: None, max: None });
                let (sum, out) = add(&step, Some((ValueKind::BigInt, &to)));
                assert_eq!((sum, out), (Ok(Sum::Within(ValueKind::BigInt)), big(one + other)), "{one} + {other}");
                let (min, max) = (big(one + other), big(one + other));
                let at = |min, max| BigIntStep { by: &by, initial: &to, min, max };
                let is_within = |step| add(&Step::BigInt(step), None).0 == Ok(Sum::Within(ValueKind::BigInt));
                assert!(is_within(at(Some(&min[..]), Some(&max[..]))));
                let (more, less) = (big(one + other + 1), big(one + other - 1));
                assert!(!is_within(at(Some(&more), None)) && !is_within(at(None, Some(&less))), "{one} + {other}");
            }
        }
    }

    #[test]
    fn bigints_have_a_longest() {
        let longest = [&[0][..], &[0xff; 8 * MAX_WORDS]].concat();
        let (one, minus) = (big(1), big(-1));
        let by = |by| Step::BigInt(BigIntStep { by, initial: &[0], min: None, max: None });
        assert!(matches!(add(&by(&one), Some((ValueKind::BigInt, &longest))).0, Err(Error::OutOfRange { .. })));
        let (sum, out) = add(&by(&minus), Some((ValueKind::BigInt, &longest)));
        assert_eq!((sum, out[1]), (Ok(Sum::Within(ValueKind::BigInt)), 0xfe));
        let longer = [&[0][..], &[1; 8 * MAX_WORDS + 8]].concat();
        assert!(matches!(add(&by(&minus), Some((ValueKind::BigInt, &longer))).0, Err(Error::OutOfRange { .. })));
    }
}
