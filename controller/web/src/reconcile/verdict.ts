// What a reconciliation comes to.
import type { Schemas } from '../api/client'
import { percent, words } from '../text'

export type Target = Schemas['ReconciledTarget']
export type Row = Schemas['ReconciledRow']

/** The colour of a verdict, of a target or of a row. */
export const tones: Record<string, 'good' | 'warn' | 'bad' | undefined> = {
  equal: 'good',
  short: 'bad',
  more: 'bad',
  not_archived: 'warn',
  not_asked: 'warn',
}

/** The verdict of a row in words. */
export function told(r: Row): string {
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

/** How much of what was sent was recorded, for a bar: over 1 where it was more. */
export function share(r: Row): number {
  if (r.verdict === 'incomparable') return 0
  return r.sent ? r.recorded / r.sent : r.recorded ? 2 : 0
}

/** Rows that are always shown, and those that are shown on demand: what is broken down and neither missing nor too much. */
export function sorted(rows: Row[]): { shown: Row[]; folded: Row[] } {
  const telling = (r: Row) => r.group === 'total' || r.verdict === 'short' || r.verdict === 'more'
  return { shown: rows.filter(telling), folded: rows.filter((r) => !telling(r)) }
}
