/*
 * One map for all threads of a Node.js process. Each file of `types/` has the types of one topic, documented.
 *
 * Costs are given in calls: a near-cache hit takes a few nanoseconds and stays in JavaScript; a native call takes
 * about a hundred. Sizes are bytes and times are milliseconds, unless a name says otherwise.
 *
 * Helper types without `export` are exported too, as everything is in a declaration file without `export {}`. They have
 * to be: declaration files that the compiler writes for users name them.
 */

export * from './types/analysis.js'
export * from './types/channels.js'
export * from './types/errors.js'
export * from './types/events.js'
export * from './types/eviction.js'
export * from './types/handles.js'
export * from './types/keys-and-values.js'
export * from './types/map.js'
export * from './types/options.js'
export * from './types/queries.js'
export * from './types/stats.js'
export * from './types/test-clock.js'
export * from './types/views.js'
export * from './types/transactions.js'
