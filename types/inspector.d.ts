// The page that shows the maps of a process.

import type { LogLevel, LogLine, LogTarget } from './events.js'

/** Options of {@link serveInspector}. */
export interface InspectorOptions {
  /** The port; 0, the default, for one that is free. */
  port?: number
  /**
   * The address or name of this machine to listen on, by default `127.0.0.1`: nothing but this machine reaches that. On
   * another address the page is served without encryption; put a proxy before it that adds TLS.
   */
  host?: string
  /**
   * What opens the page: 16 to 256 letters, digits and `.-_~`. By default 256 random bits. `false` for none, where the
   * host is a loopback address: each user and each program of the machine can read then.
   */
  token?: string | false
  /**
   * Further names, each with its port or not, under which the page is asked for: those of a proxy, or of a tunnel. A
   * name without a port stands for the ports of http and https, and for that of the inspector. Requests for any other
   * name are refused, so that no DNS of others leads to the page.
   */
  allowedHosts?: readonly string[]
  /** Whether the page shows values of entries. By default it does not: it shows keys, and figures. */
  values?: boolean
  /** Milliseconds between two looks at each map, 100 to 60,000, by default 1,000. */
  interval?: number
  /** Log lines of this level and above are shown, by default `info`. */
  logLevel?: LogLevel
  /**
   * What the log lines are about, by default `typedmap.memory` and `typedmap.lifecycle`. For `typedmap.performance`,
   * native calls of all threads are timed; `typedmap.operations` are known to listeners in their own thread only. That
   * a thread is blocked (`thread.blocked`), and answers again (`thread.answers`), is said in any case.
   */
  logTargets?: readonly LogTarget[]
  /**
   * Is called in this thread with the log lines that no map has: `thread.blocked` (`details`: `thread`, its `threadId`,
   * and `silentMs`) and `thread.answers`. A thread that was blocked itself gets them as soon as it is not.
   */
  onLog?: (line: LogLine) => void
}

/** A running inspector. */
export interface Inspector {
  /** The address of the page, with the token. */
  url: string
  /** The token, for `Authorization: Bearer` and `?token=`; `false` if there is none. */
  token: string | false
  /** Ends it: the server, its connections and its thread. */
  close(): Promise<void>
  /** The same. */
  [Symbol.asyncDispose](): Promise<void>
}

/**
 * Serves a page that shows every named map of the process: hit rate, operations, memory, removals by cause, latency,
 * shards, hot keys, threads and the log; and explains an entry. It has ten minutes in steps of a look, and six hours in
 * steps of thirty. The same figures are JSON under `/stats`, the log under `/log`, and OpenMetrics under `/metrics`. Of
 * more than 256 maps it shows 256, and how many the others are (`unwatched`).
 *
 * It runs in a thread of its own, so it answers while others are blocked, and it keeps neither the process alive nor a
 * map open: a map ends with its last `close`, although it is watched. A look at a map costs what `getStats` costs.
 * Requests are answered from the last look, so their number does not matter to the maps.
 *
 * Each request needs the token: in the address, as a bearer, or as the cookie that a browser gets with the page.
 *
 * @throws TypeError or RangeError with `ERR_INVALID_OPTION`; what `listen` of Node.js throws, with its `code`
 * @example
 * const { url, close } = await serveInspector()
 * console.log(url)
 */
export function serveInspector(options?: InspectorOptions): Promise<Inspector>

/** A figure of a program. The unit belongs to its name: `queueBytes`, `waitMs`, `hitRatio`. */
export type InspectorFigure = number | string | boolean | bigint | null | undefined

/**
 * Adds figures of the program to the page, under a name. The inspector asks for them once in each interval, by a
 * message to this thread; if the thread is blocked, the page says how long there was no answer. A source that has not
 * answered is not asked again until it has. Any thread can register sources, before or after the inspector starts: at
 * most 64 in a thread, of 64 figures each.
 *
 * @param name 1 to 64 characters, once in a thread
 * @param fn returns the figures, or a promise of them; what it throws is shown
 * @returns removes them
 * @throws TypeError or RangeError with `ERR_INVALID_OPTION` for another name
 * @example
 * registerSource('queue', () => ({ waiting: queue.length, oldestMs: queue.ageMs }))
 */
export function registerSource(
  name: string,
  fn: () => Record<string, InspectorFigure> | Promise<Record<string, InspectorFigure>>
): () => void
