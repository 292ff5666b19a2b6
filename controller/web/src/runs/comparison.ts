// The metrics of a comparison, formatted.
import type { Schemas } from '../api/client'
import { count, latency, money, percent, rate, words } from '../text'
import { visitOutcomes } from './ledger'

export type Row = Schemas['CompareRow']

const units = {
  ...{ count, seconds: latency, share: percent, money },
  per_second: (n: number) => `${rate(n)}/s`,
}

/** A value of a row in its unit. */
export function value(row: Row, n: number | null): string {
  if (n === null) return words.none
  return n === 0 && row.unit === 'seconds' ? '0' : units[row.unit](n)
}

/** B − A with its sign, in the unit of the row; for shares in percentage points. */
export function difference(row: Row): string {
  const { difference: n } = row
  if (n === null) return words.none
  if (n === 0) return '0'
  const size = Math.abs(n)
  return sign(n) + (row.unit === 'share' ? `${rate(size * 100)} points` : value(row, size))
}

/** The difference relative to A, with its sign. */
export function change(row: Row): string {
  const n = row.share
  if (n === null) return words.none
  return n === 0 ? '0 %' : sign(n) + percent(Math.abs(n))
}

const sign = (n: number) => (n < 0 ? '−' : '+')

/** The groups in their order; others come last. */
const headings: Record<string, string> = {
  ...{ latency: 'Latency', shares: 'Shares', rates: 'Rates', capacity: 'Capacity', visits: 'Visits' },
  ...{ hits: 'Hits', shop: 'Shop', run: 'Run' },
}
const order = Object.keys(headings)

const names: Record<string, string> = {
  ...visitOutcomes,
  ...words.outcomes,
  split: 'Split by Matomo',
  repeated: 'Possibly duplicated',
  due: 'Due',
  visit_rate: 'Visits started',
  hit_rate: 'Hits accepted',
  error_share: 'Errors',
  unknown_share: 'Unknown',
  achieved_rate: 'Achieved',
  revenue: 'Revenue',
  items: 'Items sold',
  length: 'Duration',
}

/** Groups rows by their heading. */
export function groups(rows: Row[]): [group: string, rows: Row[]][] {
  const out = new Map<string, Row[]>()
  for (const row of rows) out.set(row.group, [...(out.get(row.group) ?? []), row])
  const place = (group: string) => (order.includes(group) ? order.indexOf(group) : order.length)
  return [...out].sort(([a], [b]) => place(a) - place(b))
}

/** The heading of a group. */
export function groupName(group: string): string {
  const [, what, name] = /^(kind|target):(.*)$/s.exec(group) ?? []
  if (what === 'kind') return `Hits: ${words.hits.title(name!)}`
  if (what === 'target') return `Target: ${name!}`
  return headings[group] ?? group
}

/** The display name of a row. */
export const rowName = (row: Row) => names[row.name] ?? row.name
