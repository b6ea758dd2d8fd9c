//! Log lines for a Rust program, through the `log` crate: the program takes them out of its subscription on a thread of
//! its choice, so its logger runs under no lock of the map, and may use the map.

use log::{Level as LogLevel, Record, logger};

use super::{Event, Level, Subscription};

/// The level of the facade, which has no `Off`.
fn log_level(level: Level) -> LogLevel {
    match level {
        Level::Trace => LogLevel::Trace,
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error | Level::Off => LogLevel::Error,
    }
}

impl Subscription {
    /// Takes out what waits, as [`Subscription::drain`] does, and logs it: a log line as
    /// `All entries were removed [map.cleared] entries=3`, an error as a line of level `Error`. Returns how many there
    /// were.
    pub fn forward(&self, count: usize) -> usize {
        let drained = self.drain(count);
        for event in &drained.events {
            match event {
                Event::Log { line, fields, .. } => {
                    let mut text = format!("{} [{}]", line.message, line.code);
                    for (name, value) in fields {
                        text.extend([" ", name, "=", &value.to_string()]);
                    }
                    emit(log_level(line.level), line.target.name(), &text);
                }
                Event::Error { error, operation } => {
                    emit(LogLevel::Error, "typedmap.errors", &format!("{operation} failed: {error:?}"));
                }
            }
        }
        if drained.dropped > 0 {
            let text = format!("Events were dropped [events.dropped] count={}", drained.dropped);
            emit(LogLevel::Warn, "typedmap.lifecycle", &text);
        }
        drained.events.len()
    }
}

fn emit(level: LogLevel, target: &str, text: &str) {
    if level <= log::max_level() {
        logger().log(&Record::builder().level(level).target(target).args(format_args!("{text}")).build());
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::super::{Events, LogTarget, Wake, lines};
    use super::*;
    use crate::store::error::Error;

    struct Keeper(Mutex<Vec<String>>);

    impl log::Log for Keeper {
        fn enabled(&self, _: &log::Metadata<'_>) -> bool {
            true
        }

        fn log(&self, record: &Record<'_>) {
            self.0.lock().unwrap().push(format!("{} {} {}", record.level(), record.target(), record.args()));
        }

        fn flush(&self) {}
    }

    struct Silent;

    impl Wake for Silent {
        fn wake(&self) {}
    }

    #[test]
    fn a_program_s_logger_gets_the_lines_that_its_subscription_has() {
        static KEEPER: Keeper = Keeper(Mutex::new(Vec::new()));
        log::set_logger(&KEEPER).unwrap();
        log::set_max_level(log::LevelFilter::Trace);
        let events = Events::new();
        let subscription = events.subscribe(Level::Info, LogTarget::ALL_BITS, true, Arc::new(Silent));
        events.log(&lines::MAP_CLEARED, &[("entries", 3)]);
        events.log(&lines::INDEX_RESIZED, &[]);
        events.error(&Error::Closed, "set");
        assert_eq!(subscription.forward(usize::MAX), 2);
        assert_eq!(
            *KEEPER.0.lock().unwrap(),
            [
                "INFO typedmap.lifecycle All entries were removed [map.cleared] entries=3",
                "ERROR typedmap.errors set failed: Closed"
            ]
        );
        assert_eq!(subscription.forward(usize::MAX), 0);
    }
}
