// The stored intervals of a run as columns for its charts, drawn as steps.
import type { Schemas } from '../api/client'
import { errors, type Hits, type Latency } from './ledger'

type Row = Schemas['HistoryInterval']
type Numbers = { hits: Hits; latency: Latency }
type Values = (number | null)[]

const keys = ['accepted', 'errors', 'p50', 'p95', 'p99'] as const
type Key = (typeof keys)[number]

export type Columns = { times: number[] } & Record<Key, Values>

/** The values of an interval: hits per second, and the latency if there were responses. */
function values(row: Row): Record<Key, number | null> {
  const { hits, latency } = row.numbers as Numbers
  const { p50, p95, p99 } = latency ?? {}
  return {
    accepted: hits.accepted / row.seconds,
    errors: errors(hits) / row.seconds,
    p50: p50 || null,
    p95: p95 || null,
    p99: p99 || null,
  }
}

const begin = (row: Row) => Date.parse(row.at) / 1000
const end = (row: Row) => begin(row) + row.seconds

/** The largest gap between adjacent intervals, in seconds. */
const gap = 3

/** Each value lasts from its time to the next; null without data. Times are Unix seconds. */
export function columns(rows: Row[]): Columns {
  const out: Columns = { times: [], accepted: [], errors: [], p50: [], p95: [], p99: [] }
  const add = (time: number, v?: Record<Key, number | null>) => {
    out.times.push(time)
    for (const k of keys) out[k].push(v ? v[k] : null)
  }
  const lasting = rows.filter((row) => row.seconds > 0)
  lasting.forEach((row, i) => {
    const next = lasting[i + 1]
    add(begin(row), values(row))
    if (!next) add(end(row), values(row))
    else if (begin(next) - end(row) > gap) add(end(row))
  })
  return out
}

export type Pair = { a: Values; b: Values }

/** Two runs aligned at their starts; times are seconds since then. */
export type ComparisonCharts = { times: number[]; accepted: Pair; errors: Pair; p95: Pair }

type Series = { started: string; rows: Row[] }

/** Aligns two runs at their starts; null where one has no data. */
export function overlay(a: Series, b: Series): ComparisonCharts {
  const [x, y] = [fromStart(a), fromStart(b)]
  const times = [...new Set([...x.times, ...y.times])].sort((t, u) => t - u)
  const pair = (k: Key): Pair => ({ a: at(times, x, k), b: at(times, y, k) })
  return { times, accepted: pair('accepted'), errors: pair('errors'), p95: pair('p95') }
}

function fromStart({ started, rows }: Series): Columns {
  const first = Date.parse(started) / 1000
  const c = columns(rows)
  return { ...c, times: c.times.map((t) => Math.max(0, t - first)) }
}

/** Samples a step-shaped column at the given times. */
function at(times: number[], c: Columns, key: Key): Values {
  let i = -1
  return times.map((t) => {
    while (i + 1 < c.times.length && c.times[i + 1]! <= t) i++
    const last = c.times.length - 1
    return i < 0 || (i === last && t > c.times[last]!) ? null : c[key][i]!
  })
}
