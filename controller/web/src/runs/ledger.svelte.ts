// The ledger of a run from wherever it is told best.
import { live } from '../api/live.svelte'
import { fromSample, fromSummary, type Ledger } from './record'

/** The ledger of record where there is one, else what the live numbers say of the run; undefined where neither does. */
export function ledgerOf(id: string, summary: unknown): Ledger | undefined {
  return fromSummary(summary) ?? (live.sample?.run_id === id ? fromSample(live.sample) : undefined)
}
