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

type Numbers = { hits: Hits; latency: Latency }

const minute = 60

/** Null breaks the line where minutes are missing, and stands for a latency where nothing was answered. */
export function columns(rows: Schemas['HistoryMinute'][]): Minutes {
  const out: Minutes = { times: [], accepted: [], errors: [], p50: [], p95: [], p99: [] }
  for (const row of rows) {
    const { hits, latency } = row.numbers as Numbers
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

/** Two runs minute by minute, each from its own start. */
export type Overlay = {
  /** Seconds since the starts. */
  times: number[]
  accepted: Pair
  errors: Pair
  p95: Pair
}
type Pair = { a: (number | null)[]; b: (number | null)[] }

type Course = { started: string; rows: Schemas['HistoryMinute'][] }

/** Lays the minutes of two runs over each other; null where one has none. */
export function overlay(a: Course, b: Course): Overlay {
  const [x, y] = [fromStart(a), fromStart(b)]
  const length = [...x.keys(), ...y.keys()].reduce((most, i) => Math.max(most, i + 1), 0)
  const numbers = Array.from({ length }, (_, i) => i)
  const pair = (of: (n: Numbers) => number | null): Pair => {
    const side = (course: Map<number, Numbers>) =>
      numbers.map((i) => {
        const n = course.get(i)
        return n ? of(n) : null
      })
    return { a: side(x), b: side(y) }
  }
  return {
    times: numbers.map((i) => i * minute),
    accepted: pair((n) => n.hits.accepted),
    errors: pair((n) => errors(n.hits)),
    p95: pair((n) => n.latency.p95 || null),
  }
}

/** The minutes of a run by their number, the one in which it began being the first. */
function fromStart({ started, rows }: Course): Map<number, Numbers> {
  const first = Math.floor(Date.parse(started) / 1000 / minute)
  return new Map(
    rows.map((row) => [Math.max(0, Math.floor(Date.parse(row.at) / 1000 / minute) - first), row.numbers as Numbers]),
  )
}
