// The types for OpenTelemetry, with a meter as its own package declares it.

import type { Meter } from '@opentelemetry/api'
import main, { type MetricsOptions, registerMetrics } from '../../otel.mjs'

declare const meter: Meter

const options: MetricsOptions = { maps: ['sessions'], attributes: { 'service.shard': 3 } }
const unregister: () => void = registerMetrics(meter, options)
const same: () => void = main.registerMetrics(meter)

// @ts-expect-error no such option
registerMetrics(meter, { map: 'sessions' })
// @ts-expect-error no meter
registerMetrics({})
// @ts-expect-error attributes are plain
registerMetrics(meter, { attributes: { deep: {} } })

export { same, unregister }
