// The results of a reconciliation, formatted.
import type { Schemas } from '../api/client'
import { count, money, percent } from '../text'

type Tone = 'good' | 'warn' | 'bad'
export type Target = Schemas['ReconciledTarget']
export type Row = Schemas['ReconciledRow']

/** The colour and text of the result of a target, by its verdict. */
export const verdicts: Record<string, [Tone | undefined, string]> = {
  equal: ['good', 'All accepted hits were recorded'],
  short: ['bad', 'Hits are missing'],
  more: ['bad', 'More was recorded than sent, without a known cause'],
  not_archived: ['warn', 'In the raw log, but not yet in the reports'],
  not_asked: ['warn', 'Matomo could not be queried'],
  incomparable: [undefined, 'Recorded and sent figures cannot be compared'],
}
export const toneOf = (verdict: string) => verdicts[verdict]?.[0]

export const figure = (n: number) => (Number.isInteger(n) ? count(n) : money(n))

/** The result of a row as text. */
export function verdictText(r: Row): string {
  switch (r.verdict) {
    case 'short':
      return `short by ${figure(-r.off)} (${percent(r.sent ? -r.off / r.sent : 1)})`
    case 'more':
      return `over by ${figure(r.off)}`
    case 'not_archived':
      return 'not archived'
    case 'incomparable':
      return 'not comparable'
    default:
      return 'equal'
  }
}

/** Recorded as a share of sent, for a bar; above 1 if more was recorded. */
export function recordedShare(r: Row): number {
  if (r.verdict === 'incomparable') return 0
  return r.sent ? r.recorded / r.sent : r.recorded ? 2 : 0
}

/** Splits rows into those always shown (totals and mismatches) and the rest. */
export function splitRows(rows: Row[]): { shown: Row[]; collapsed: Row[] } {
  const important = (r: Row) => r.group === 'total' || r.verdict === 'short' || r.verdict === 'more'
  return { shown: rows.filter(important), collapsed: rows.filter((r) => !important(r)) }
}
