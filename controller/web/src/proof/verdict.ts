// What a reconciliation comes to.
import type { Schemas } from '../api/client'
import { percent } from '../ui/numbers'
import { words } from '../words'

export type Target = Schemas['RecordReconciledTarget']
export type Row = Schemas['RecordReconciledRow']

export type Outcome = 'good' | 'lost' | 'more' | 'failed'

/** The worst that is true of a target. */
export function outcome(t: Target): Outcome {
  const rows = t.rows ?? []
  if (t.error) return 'failed'
  if (rows.some((r) => r.verdict === 'short')) return 'lost'
  if (rows.some((r) => r.verdict === 'more')) return 'more'
  return 'good'
}

export const tones: Record<Outcome, 'good' | 'warn' | 'bad'> = {
  good: 'good',
  lost: 'bad',
  more: 'warn',
  failed: 'warn',
}

/** The verdict of a row in words. */
export function told(r: Row): string {
  const w = words.proof
  switch (r.verdict) {
    case 'short':
      return w.short(r.off, percent(r.sent ? -r.off / r.sent : 1))
    case 'more':
      return w.tooMany(r.off)
    case 'incomparable':
      return w.incomparable
    default:
      return w.equal
  }
}

/** Rows that are always shown, and those that are shown on demand: what is broken down and equal. */
export function sorted(rows: Row[]): { shown: Row[]; folded: Row[] } {
  const telling = (r: Row) => r.group === 'total' || r.verdict !== 'equal'
  return { shown: rows.filter(telling), folded: rows.filter((r) => !telling(r)) }
}
