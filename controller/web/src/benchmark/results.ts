// The table of a benchmark: what is shown of it, and in which order.
import type { Schemas } from '../api/client'

export type Timing = Schemas['ReportTiming']
export type Difference = Schemas['ReportDifference']

export const columns = [
  'report',
  'period',
  'segment',
  'cold',
  'p50',
  'p95',
  'max',
  'parallel',
  'rows',
  'bytes',
  'timeouts',
  'failures',
  'verdict',
] as const
export type Column = (typeof columns)[number]

export type Order = { by: Column; down: boolean }
/** null is any. */
export type Filter = { period: string | null; segment: string | null }

export const key = (r: { report: string; period: string; segment: string }) =>
  JSON.stringify([r.report, r.period, r.segment])

const length = ['day', 'week', 'range', 'month', 'year']
const weight = ['same', 'new', 'faster', 'slower', 'failing']

function value(r: Timing, by: Column, differences: Map<string, Difference>): string | number {
  switch (by) {
    case 'report':
      return r.report
    case 'period':
      return length.indexOf(r.period)
    case 'segment':
      return r.segment
    case 'cold':
      return r.cold ?? -1
    case 'parallel':
      return r.parallel.p95
    case 'rows':
    case 'bytes':
    case 'timeouts':
    case 'failures':
      return r[by]
    case 'verdict':
      return weight.indexOf(differences.get(key(r))?.verdict ?? '')
    default:
      return r.warm[by]
  }
}

/** The rows of a filter in an order; equals stay as they were measured. */
export function rows(all: Timing[], filter: Filter, order: Order, differences: Map<string, Difference>): Timing[] {
  const shown = all.filter(
    (r) =>
      (filter.period === null || r.period === filter.period) &&
      (filter.segment === null || r.segment === filter.segment),
  )
  return shown.toSorted((a, b) => {
    const [x, y] = [value(a, order.by, differences), value(b, order.by, differences)]
    const d = typeof x === 'string' ? x.localeCompare(String(y)) : x - Number(y)
    return order.down ? -d : d
  })
}

/** A click on a head: names begin at their first, figures at their largest, and a second click turns it round. */
export function turned(order: Order, by: Column): Order {
  if (order.by === by) return { by, down: !order.down }
  return { by, down: !['report', 'period', 'segment'].includes(by) }
}

/** What occurs, in the order of its first occurrence. */
export const each = (all: Timing[], of: 'period' | 'segment') => [...new Set(all.map((r) => r[of]))]

/** Bytes as people read them. */
export function size(bytes: number): string {
  if (bytes < 1e3) return `${bytes} B`
  const [n, unit] = bytes < 1e6 ? [bytes / 1e3, 'kB'] : [bytes / 1e6, 'MB']
  return `${n < 10 ? n.toFixed(1) : Math.round(n)} ${unit}`
}
