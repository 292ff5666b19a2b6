// The results of a reconciliation, formatted.
import type { Schemas } from '../api/client'
import { percent, words } from '../text'

export type Target = Schemas['ReconciledTarget']
export type Row = Schemas['ReconciledRow']

/** The colour of the result of a target or row. */
export const tones: Record<string, 'good' | 'warn' | 'bad' | undefined> = {
  equal: 'good',
  short: 'bad',
  more: 'bad',
  not_archived: 'warn',
  not_asked: 'warn',
}

/** The result of a row as text. */
export function verdictText(r: Row): string {
  const w = words.reconcile
  switch (r.verdict) {
    case 'short':
      return w.short(r.off, percent(r.sent ? -r.off / r.sent : 1))
    case 'more':
      return w.excess(r.off)
    case 'not_archived':
      return w.notArchived
    case 'incomparable':
      return w.incomparable
    default:
      return w.equal
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
