/// <reference lib="esnext.disposable" />

// The clock that a test sets for the maps of its thread.

/** What {@link TypedMap.setClock} takes. */
export interface TestClockOptions {
  /**
   * Shows a time in milliseconds, such as the `Date.now` of fake timers. It is asked right before a map of this thread
   * is used, and time moves by as much as it shows more than before; less is passed over, because time never goes back.
   * So every call of this thread sees the time that `now` shows. Other threads and listeners, which wait for no call,
   * see it then, too; `advance(0)` tells them at once.
   *
   * It must not use a map. What it throws, the call that asked throws. Near caches keep no entries with a deadline
   * meanwhile.
   */
  now?: (() => number) | undefined
}

/**
 * What {@link TypedMap.setClock} returns: it moves the time of the maps of this thread.
 *
 * It ends when it is restored, when another clock is set in this thread, when the thread ends, and when the package is
 * loaded in another realm of the thread, as Jest does for each test file. Time goes on then from where it stood.
 */
export interface TestClock {
  /**
   * Moves time. When this returns, every entry whose deadline has passed is removed: reads find nothing, near-cache
   * copies have ended in all threads, and `getStats()` counts them. Listeners are called in the usual way, in later
   * turns of the event loop.
   *
   * It takes as long as the removals do: a microsecond or less for an entry.
   *
   * @param ms from 0 to 2^47, all calls together; fractions add up
   * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; `ERR_CLOCK_ENDED`
   */
  advance(ms: number): void
  /** Ends the clock. Does nothing if it has ended. */
  restore(): void
  /** The same as {@link TestClock.restore}, for `using`. */
  [Symbol.dispose](): void
}
