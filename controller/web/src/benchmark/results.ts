// The table of a benchmark: its columns, filters and order.
import type { Schemas } from '../api/client'

export type Timing = Schemas['ReportTiming']
export type Difference = Schemas['ReportDifference']

const length = ['day', 'week', 'range', 'month', 'year']
const weight = ['same', 'new', 'faster', 'slower', 'failing']

const periods: Record<string, string> = { day: 'Day', week: 'Week', month: 'Month', year: 'Year', range: '30 days' }
export const periodName = (period: string) => periods[period] ?? period

type Value = (r: Timing, difference?: Difference) => string | number

/** The columns: their heads, and the values by which they sort. */
export const columns = {
  report: { head: 'Report', value: (r) => r.report },
  period: { head: 'Period', value: (r) => length.indexOf(r.period) },
  segment: { head: 'Segment', value: (r) => r.segment },
  cold: { head: 'Cold', value: (r) => r.cold ?? -1 },
  p50: { head: 'p50', value: (r) => r.warm.p50 },
  p95: { head: 'p95', value: (r) => r.warm.p95 },
  max: { head: 'Max', value: (r) => r.warm.max },
  parallel: { head: 'Parallel p95', value: (r) => r.parallel.p95 },
  rows: { head: 'Rows', value: (r) => r.rows },
  bytes: { head: 'Size', value: (r) => r.bytes },
  timeouts: { head: 'Timeouts', value: (r) => r.timeouts },
  failures: { head: 'Failures', value: (r) => r.failures },
  verdict: { head: 'vs. baseline', value: (_, d) => weight.indexOf(d?.verdict ?? '') },
} satisfies Record<string, { head: string; value: Value }>
export type Column = keyof typeof columns

export type Order = { by: Column; down: boolean }
/** null is any. */
export type Filter = { period: string | null; segment: string | null }

export const key = (r: { report: string; period: string; segment: string }) =>
  JSON.stringify([r.report, r.period, r.segment])

/** The rows of a filter in an order; equal ones stay in the order of measurement. */
export function rows(all: Timing[], filter: Filter, order: Order, differences: Map<string, Difference>): Timing[] {
  const value = (r: Timing) => (columns[order.by].value as Value)(r, differences.get(key(r)))
  const shown = all.filter(
    (r) =>
      (filter.period === null || r.period === filter.period) &&
      (filter.segment === null || r.segment === filter.segment),
  )
  return shown.toSorted((a, b) => {
    const [x, y] = [value(a), value(b)]
    const d = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)
    return order.down ? -d : d
  })
}

/** The order after a click on a head: names ascending, numbers descending at first; a second click reverses it. */
export function turned(order: Order, by: Column): Order {
  if (order.by === by) return { by, down: !order.down }
  return { by, down: !['report', 'period', 'segment'].includes(by) }
}

/** The distinct periods or segments, in the order of their first occurrence. */
export const each = (all: Timing[], of: 'period' | 'segment') => [...new Set(all.map((r) => r[of]))]

/** 950 B, 1.2 kB, 2.3 MB */
export function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  const [n, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB']
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`
}
