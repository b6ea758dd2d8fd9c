// Named maps as metrics of OpenTelemetry.

/** What numbers are told with. */
export interface MetricsResult {
  /** A number of an instrument. */
  observe(instrument: never, value: number, attributes?: object): void
}

/**
 * What is called of a meter: a `Meter` of `@opentelemetry/api` has it. The package needs none of OpenTelemetry's
 * packages, so their versions are yours.
 */
export interface MetricsMeter {
  /** Makes an instrument. */
  createObservableCounter(name: string, options?: { unit?: string; description?: string }): object
  /** Makes an instrument. */
  createObservableUpDownCounter(name: string, options?: { unit?: string; description?: string }): object
  /** Makes an instrument. */
  createObservableGauge(name: string, options?: { unit?: string; description?: string }): object
  /** Adds what is called when metrics are collected. */
  addBatchObservableCallback(callback: (result: MetricsResult) => void, instruments: never[]): void
  /** Removes it. */
  removeBatchObservableCallback(callback: (result: MetricsResult) => void, instruments: never[]): void
}

/** Options of {@link registerMetrics}. */
export interface MetricsOptions {
  /** Names of the maps that are observed, whether they are open yet or not; all by default. */
  maps?: readonly string[] | undefined
  /** Attributes of each number, for what tells this process from others. */
  attributes?: Record<string, string | number | boolean> | undefined
}

/**
 * Has a meter observe the named maps of the process: those that any thread has open whenever metrics are collected. It
 * holds none of them open. Once in a process is enough; twice, each number is observed twice.
 *
 * Instruments begin with `typed_superdashmap.`. Each number has the attribute `typed_superdashmap.map.name`, and where
 * an instrument has several, `typed_superdashmap.result`, `.cause`, `.operation`, `.quantile` or `error.type`. Units
 * are seconds and bytes. Counts are those of `getStats()`: `resetStats()` sets them back, which a reader takes for a
 * restart. Of a map that has ended nothing is observed any more; the SDK may repeat its last numbers.
 *
 * A collection reads the statistics of all maps in one native call, which takes some tens of microseconds for each.
 *
 * @param meter as `metrics.getMeter(name)` of `@opentelemetry/api` returns it
 * @returns ends it
 * @throws TypeError with `ERR_INVALID_OPTION` or `ERR_WRONG_TYPE` for bad arguments
 * @example
 * import { metrics } from '@opentelemetry/api'
 * import { registerMetrics } from 'typed-superdashmap/otel'
 *
 * const unregister = registerMetrics(metrics.getMeter('my-service'))
 */
export function registerMetrics(meter: MetricsMeter, options?: MetricsOptions): () => void
