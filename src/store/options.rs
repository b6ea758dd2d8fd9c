//! The options of a map, in one table: how each is set, and how it is shown. What handles options by name (reading
//! them, showing them, comparing those of a second `open`) goes through the table, so an option is one row here and
//! one field of [`Config`].

use std::fmt;

use super::config::{AutoRecovery, Config, NONE, TtlOnUpdate, WhenFull};
use super::eviction::PolicyKind;
use crate::store::entry::algorithm::Algorithm;
use crate::store::observe::performance::TimeTargets;

/// The value of an option, in words that a text can carry.
#[derive(Clone, Debug, PartialEq)]
pub enum Setting {
    /// No limit.
    None,
    /// True or false.
    Flag(bool),
    /// A whole number, such as bytes or milliseconds.
    Whole(u64),
    /// Any number.
    Real(f64),
    /// One of some words, or digits that a number of JavaScript does not hold.
    Word(String),
    /// A number that is shown to no one.
    Secret(u64),
    /// `{ evictIdle: ms }`.
    EvictIdle(u64),
    /// Milliseconds by operation.
    Times(TimeTargets),
    /// `{ attempts, timeout }`.
    Recovery(AutoRecovery),
    /// A function of the user, which stays with the thread that passed it.
    Function,
}

impl fmt::Display for Setting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Real(number) => write!(f, "{number}"),
            Self::Word(word) => f.write_str(word),
            Self::Secret(_) => f.write_str("another one, which is not shown"),
            Self::EvictIdle(idle_ms) => write!(f, "evictIdle: {idle_ms}"),
            Self::Times(targets) => {
                for (n, (operation, ms)) in targets.given().enumerate() {
                    write!(f, "{}{}: {ms}", if n == 0 { "" } else { ", " }, operation.name())?;
                }
                Ok(())
            }
            Self::Recovery(AutoRecovery { attempts, timeout_ms }) => {
                write!(f, "attempts: {attempts}, timeout: {timeout_ms}")
            }
            Self::Function => f.write_str("a function"),
        }
    }
}

impl Setting {
    fn word(word: &impl ToString) -> Self {
        Self::Word(word.to_string())
    }

    fn flag(self) -> Option<bool> {
        if let Self::Flag(flag) = self { Some(flag) } else { None }
    }

    /// A whole number. A large one may come as a float, because that is what it is in JavaScript.
    fn whole(self) -> Option<u64> {
        match self {
            Self::Whole(number) => Some(number),
            Self::Real(number) if number >= 0.0 => Some(number as u64),
            _ => None,
        }
    }

    fn real(self) -> Option<f64> {
        match self {
            Self::Whole(number) => Some(number as f64),
            Self::Real(number) => Some(number),
            _ => None,
        }
    }

    /// A limit, [`NONE`] where it is none: that is not the same as not given.
    fn limit(self) -> Option<u64> {
        if self == Self::None { Some(NONE) } else { self.whole() }
    }

    fn of_limit(limit: u64) -> Self {
        if limit == NONE { Self::None } else { Self::Whole(limit) }
    }
}

/// One option.
#[derive(Clone, Copy)]
pub struct MapOption {
    /// Its name in JavaScript.
    pub name: &'static str,
    /// Stores a value in a configuration; `None` if it is no value of this option.
    pub set: fn(&mut Config, Setting) -> Option<()>,
    /// The value in a configuration; `None` where it was not set.
    pub get: fn(&Config) -> Option<Setting>,
}

/// A row of [`OPTIONS`] whose value is read from the field as it is stored there.
macro_rules! row {
    ($name:literal, $field:ident, $read:ident, $show:expr) => {
        MapOption {
            name: $name,
            set: |config, given| {
                config.$field = Some(given.$read()?);
                Some(())
            },
            get: |config| config.$field.map($show),
        }
    };
}

/// All options. Where several differ from those of an open map, the first is named.
pub const OPTIONS: [MapOption; 23] = [
    MapOption {
        name: "shards",
        set: |config, given| {
            config.shards = Some(u32::try_from(given.whole()?).ok()?);
            Some(())
        },
        get: |config| config.shards.map(|shards| Setting::Whole(shards.into())),
    },
    row!("initialCapacity", initial_capacity, whole, Setting::Whole),
    row!("maxLoadFactor", max_load_factor, real, Setting::Real),
    MapOption {
        name: "hash",
        set: |config, given| {
            let Setting::Word(word) = given else { return None };
            config.hash = Some(Algorithm::named(&word)?);
            Some(())
        },
        get: |config| config.hash.as_ref().map(Setting::word),
    },
    MapOption {
        name: "seed",
        set: |config, given| {
            let Setting::Word(digits) = given else { return None };
            config.seed = Some(digits.parse().ok()?);
            Some(())
        },
        get: |config| config.seed.map(Setting::Secret),
    },
    row!("caseInsensitiveKeys", ignores_case, flag, Setting::Flag),
    MapOption {
        name: "normalizeKey",
        set: |config, given| {
            config.normalises_keys = given == Setting::Function;
            config.normalises_keys.then_some(())
        },
        get: |config| config.normalises_keys.then_some(Setting::Function),
    },
    row!("enableSIMD", simd, flag, Setting::Flag),
    row!("memoryLimit", memory_limit_bytes, limit, Setting::of_limit),
    row!("maxEntries", max_entries, limit, Setting::of_limit),
    row!("maxValueBytes", max_value_bytes, limit, Setting::of_limit),
    MapOption {
        name: "evictionStrategy",
        set: |config, given| {
            match given {
                Setting::Function => config.when_full = Some(WhenFull::CallerChooses),
                Setting::Word(word) => config.eviction = Some(PolicyKind::named(&word)?),
                _ => return None,
            }
            Some(())
        },
        get: |config| match config.when_full {
            Some(WhenFull::CallerChooses) => Some(Setting::Function),
            _ => config.eviction.as_ref().map(Setting::word),
        },
    },
    MapOption {
        name: "oomStrategy",
        set: |config, given| {
            config.when_full = Some(match given {
                Setting::Function => WhenFull::CallerFrees,
                Setting::EvictIdle(idle_ms) => WhenFull::EvictIdle { idle_ms },
                Setting::Word(word) if word == "evict" => WhenFull::Evict,
                Setting::Word(word) if word == "reject" => WhenFull::Reject,
                Setting::Word(word) if word == "evict-expired" => WhenFull::EvictExpired,
                _ => return None,
            });
            Some(())
        },
        get: |config| {
            config.when_full.map(|when_full| match when_full {
                // A map whose caller chooses evicts when it is full; `evictionStrategy` says how.
                WhenFull::Evict | WhenFull::CallerChooses => Setting::word(&"evict"),
                WhenFull::Reject => Setting::word(&"reject"),
                WhenFull::EvictExpired => Setting::word(&"evict-expired"),
                WhenFull::EvictIdle { idle_ms } => Setting::EvictIdle(idle_ms),
                WhenFull::CallerFrees => Setting::Function,
            })
        },
    },
    row!("ttl", ttl_ms, limit, Setting::of_limit),
    MapOption {
        name: "ttlOnUpdate",
        set: |config, given| {
            config.ttl_on_update = Some(match given {
                Setting::Word(word) if word == "renew" => TtlOnUpdate::Renew,
                Setting::Word(word) if word == "keep" => TtlOnUpdate::Keep,
                _ => return None,
            });
            Some(())
        },
        get: |config| {
            config.ttl_on_update.map(|what| match what {
                TtlOnUpdate::Renew => Setting::word(&"renew"),
                TtlOnUpdate::Keep => Setting::word(&"keep"),
            })
        },
    },
    row!("sliding", sliding, flag, Setting::Flag),
    row!("strictTtl", strict_ttl, flag, Setting::Flag),
    row!("latency", latency, flag, Setting::Flag),
    row!("hotKeys", hot_keys, flag, Setting::Flag),
    row!("ghostCache", ghost_cache, flag, Setting::Flag),
    MapOption {
        name: "timeTargets",
        set: |config, given| {
            let Setting::Times(targets) = given else { return None };
            config.time_targets = Some(targets);
            Some(())
        },
        get: |config| config.time_targets.map(Setting::Times),
    },
    MapOption {
        name: "codec",
        set: |config, given| {
            let Setting::Word(word) = given else { return None };
            config.codec = Some(word);
            Some(())
        },
        get: |config| config.codec.as_ref().map(Setting::word),
    },
    MapOption {
        name: "autoRecovery",
        set: |config, given| {
            config.auto_recovery = Some(match given {
                Setting::Recovery(asked) => asked,
                Setting::Flag(false) => AutoRecovery::default(),
                _ => return None,
            });
            Some(())
        },
        get: |config| {
            config.auto_recovery.map(|asked| match asked.attempts {
                0 => Setting::Flag(false),
                _ => Setting::Recovery(asked),
            })
        },
    },
];

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn each_option_comes_back_as_it_was_set() {
        let given = [
            Setting::Whole(4),
            Setting::Whole(9),
            Setting::Real(0.5),
            Setting::word(&"siphash"),
            Setting::word(&u64::MAX),
            Setting::Flag(true),
            Setting::Function,
            Setting::Flag(false),
            Setting::Whole(1),
            Setting::None,
            Setting::Whole(3),
            Setting::word(&"s3-fifo"),
            Setting::EvictIdle(4),
            Setting::None,
            Setting::word(&"keep"),
            Setting::Flag(true),
            Setting::Flag(false),
            Setting::Flag(true),
            Setting::Flag(true),
            Setting::Flag(true),
            Setting::Times(TimeTargets([Some(0.5), None, None, Some(2.0), None])),
            Setting::word(&"v8"),
            Setting::Recovery(AutoRecovery { attempts: 2, timeout_ms: 9 }),
        ];
        let mut config = Config::default();
        for (option, setting) in OPTIONS.iter().zip(&given) {
            assert_eq!((option.get)(&config), None, "{}", option.name);
            assert_eq!((option.set)(&mut config, setting.clone()), Some(()), "{}", option.name);
            // A seed is a number from here on.
            let shown = if option.name == "seed" { Setting::Secret(u64::MAX) } else { setting.clone() };
            assert_eq!((option.get)(&config), Some(shown), "{}", option.name);
        }
        // A field that no row sets would still be open.
        assert!(!format!("{config:?}").contains(": None"), "{config:?}");
    }

    #[test]
    fn a_function_is_shown_where_it_was_given() {
        for (name, other) in [("evictionStrategy", Some("evict")), ("oomStrategy", None)] {
            let mut config = Config::default();
            let row = |name| OPTIONS.iter().find(|option| option.name == name).unwrap();
            assert_eq!((row(name).set)(&mut config, Setting::Function), Some(()));
            assert_eq!((row(name).get)(&config), Some(Setting::Function));
            let unnamed = if name == "oomStrategy" { "evictionStrategy" } else { "oomStrategy" };
            assert_eq!((row(unnamed).get)(&config), other.map(|word| Setting::word(&word)));
        }
    }
}
