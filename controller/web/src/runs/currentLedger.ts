// The ledger of a run from wherever it is told best.
import { live } from '../api/live.svelte'
import { liveLedger, summaryLedger, type Ledger } from './ledger'

/** The ledger of record where there is one, else what the live numbers say of the run; undefined where neither does. */
export function ledgerOf(id: string, summary: unknown): Ledger | undefined {
  return summaryLedger(summary) ?? (live.sample?.run_id === id ? liveLedger(live.sample) : undefined)
}
