// The stored minutes of a run as the columns of its charts.
import type { Schemas } from '../api/client'
import { errors, type Hits, type Latency } from './record'

export type Minutes = {
  /** Unix seconds at which each minute begins. */
  times: number[]
  accepted: (number | null)[]
  errors: (number | null)[]
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
}

const minute = 60

/** Null breaks the line where minutes are missing, and stands for a latency where nothing was answered. */
export function columns(rows: Schemas['MinuteAnswer'][]): Minutes {
  const out: Minutes = { times: [], accepted: [], errors: [], p50: [], p95: [], p99: [] }
  for (const row of rows) {
    const { hits, latency } = row.numbers as { hits: Hits; latency: Latency }
    const at = Date.parse(row.at) / 1000
    const last = out.times.at(-1)
    if (last !== undefined && at - last > minute) {
      out.times.push(last + minute)
      for (const k of ['accepted', 'errors', 'p50', 'p95', 'p99'] as const) out[k].push(null)
    }
    out.times.push(at)
    out.accepted.push(hits.accepted)
    out.errors.push(errors(hits))
    for (const k of ['p50', 'p95', 'p99'] as const) out[k].push(latency[k] || null)
  }
  return out
}
