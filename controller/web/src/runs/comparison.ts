// The metrics of a comparison, formatted.
import type { Schemas } from '../api/client'
import { words } from '../text'

export type Row = Schemas['CompareRow']

/** A value of a row in its unit. */
export function value(row: Row, n: number | null): string {
  if (n === null) return words.none
  return n === 0 && row.unit === 'seconds' ? '0' : words.runs.comparison.units[row.unit](n)
}

/** B − A with its sign, in the unit of the row; for shares in percentage points. */
export function difference(row: Row): string {
  const { difference: n } = row
  if (n === null) return words.none
  if (n === 0) return '0'
  const size = Math.abs(n)
  return sign(n) + (row.unit === 'share' ? words.runs.comparison.points(size) : value(row, size))
}

/** The difference relative to A, with its sign. */
export function change(row: Row): string {
  const n = row.share
  if (n === null) return words.none
  return n === 0 ? '0 %' : sign(n) + words.runs.comparison.units.share(Math.abs(n))
}

const sign = (n: number) => (n < 0 ? '−' : '+')

/** The order of the groups; others come last. */
const order = ['latency', 'shares', 'rates', 'capacity', 'visits', 'hits', 'shop', 'run']

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
  if (what === 'kind') return words.runs.comparison.ofKind(words.hits.title(name!))
  if (what === 'target') return words.runs.comparison.ofTarget(name!)
  return words.runs.comparison.groups[group] ?? group
}

/** The display name of a row. */
export const rowName = (row: Row) => words.runs.comparison.names[row.name] ?? row.name
