// The ledger of a run from its summary or its live samples, and what follows from it.
import type { Schemas } from '../api/client'
import { live, type Sample, type Status } from '../api/live.svelte'
import type { Tone } from '../ui'

export type Hits = Schemas['RunHits']
export type Latency = Schemas['RunLatency']
export type Verdict = Schemas['RunVerdict']
export type Reason = Schemas['RunReason']

export type Ledger = {
  hits: Hits
  byKind: Record<string, Hits>
  byTarget: Record<string, Hits>
  /** Planned visits, and visits by outcome. */
  visits: Record<string, number>
  /** Of the whole run; unknown while it is in progress. */
  latency?: Latency
  revenue: number
  /** Visits due by the load profile; undefined if not recorded. */
  due?: number
  thresholds: Verdict[]
  /** Why hits were not accepted. */
  reasons: Reason[]
  /** Unexpected responses to accepted hits. */
  warnings: Reason[]
  /** Why the run ended, unless it was stopped. */
  message?: string
}

/** The outcomes of a hit, the good one first. */
export const outcomes = ['accepted', 'rejected', 'failed', 'unknown', 'shed', 'abandoned'] as const
export type Outcome = (typeof outcomes)[number]

/** The outcomes of a visit, the good one first. */
export const visitOutcomes = {
  complete: 'Complete',
  partial: 'Partial',
  uncertain: 'Uncertain',
  lost: 'Lost',
  unsent: 'Unsent',
}

/** Whether a run can be deleted: it has ended, or its end was not recorded and it is not the current one. */
export const deletable = (run: { id: string; kind: string; ended: string | null }, now?: Status) =>
  !!run.ended || (run.kind !== 'backfill' && !!now && (now.run?.id !== run.id || !!now.run.ended))

/** Hits with an outcome. */
export const ended = (h: Hits) => outcomes.reduce((sum, o) => sum + h[o], 0)

/** Planned hits without an outcome yet. */
export const open = (h: Hits) => Math.max(0, h.planned - ended(h))

/** Hits that were not accepted, except abandoned ones. */
export const errors = (h: Hits) => h.rejected + h.failed + h.unknown + h.shed

/** Errors as a share of errors and accepted hits; NaN if there are none. */
export const errorShare = (h: Hits) => errors(h) / (errors(h) + h.accepted)

/** Accepted hits as a share of those with an outcome; NaN if there are none. */
export const acceptedShare = (h: Hits) => h.accepted / ended(h)

type Summary = Partial<Omit<Schemas['RunSummary'], 'visits' | 'capacity'>> & {
  visits?: Record<string, number>
}

/** The ledger of a run summary, which may come from an older version; undefined if there is none. */
export function summaryLedger(s?: Summary | null): Ledger | undefined {
  if (!s?.hits) return
  return {
    ...{ hits: s.hits, latency: s.latency, revenue: s.revenue ?? 0, due: s.visits_due, message: s.message },
    ...{ byKind: s.by_kind ?? {}, byTarget: s.by_target ?? {}, visits: s.visits ?? {} },
    ...{ thresholds: s.thresholds ?? [], reasons: s.reasons ?? [], warnings: s.warnings ?? [] },
  }
}

/** The ledger of the current run so far; the latency of a sample is that of its last seconds. */
const liveLedger = ({ targets, latency: _, ...sample }: Sample) =>
  summaryLedger({ ...sample, by_target: Object.fromEntries((targets ?? []).map((t) => [t.name, t.hits])) })

/** The ledger of a run: from its summary if there is one, else from its live samples. */
export const ledgerOf = (id: string, summary?: Summary | null) =>
  summaryLedger(summary) ?? (live.sample?.run_id === id ? liveLedger(live.sample) : undefined)

/** Visits that were started and sent at least partly. */
export const begun = (l: Ledger) => Math.max(0, (l.visits.planned ?? 0) - (l.visits.unsent ?? 0))

/** Started visits as a share of those due; NaN if none was due. */
export const achieved = (l: Ledger) => (l.due ? begun(l) / l.due : NaN)

/** Splits comma-separated labels; each once. */
export const parseLabels = (text: string) => [...new Set(text.split(/\s*,\s*/).map((l) => l.trim()))].filter(Boolean)

/** Whether the summary is current: of runs that have ended, and of jobs, which send no live samples. */
export const recorded = (r: Pick<Schemas['RunHead'], 'ended' | 'kind'>) => !!r.ended || r.kind === 'backfill'

/** The duration of a run in seconds, up to `now` in milliseconds while it is in progress. */
export const durationOf = (
  r: { started: string; ended: string | null; duration_seconds: number | null },
  now: number,
) => (r.ended ? (r.duration_seconds ?? 0) : Math.max(0, now - Date.parse(r.started)) / 1000)

/** The latest earlier run with the same plan. */
export const previousRun = <R extends Pick<Schemas['RunHead'], 'id' | 'plan_hash' | 'started'>>(run: R, others: R[]) =>
  others
    .filter((r) => run.plan_hash && r.plan_hash === run.plan_hash && Date.parse(r.started) < Date.parse(run.started))
    .sort((a, b) => Date.parse(b.started) - Date.parse(a.started))[0]

/** The exit code of a run that failed a threshold or was stopped by the error brake. */
export const thresholdExitCode = 4

type End = { ended: string | null; reason: string; exit_code?: number | null }

/** Whether a run has passed its thresholds; undefined if it has only the built-in one and passed it. */
export function passed(run: Omit<End, 'reason'>, verdicts?: Verdict[] | null) {
  if (!run.ended) return
  if (run.exit_code === thresholdExitCode || verdicts?.some((v) => !v.held && !v.pending)) return false
  return verdicts?.some((v) => !v.built_in) ? true : undefined
}

/** The colour of a run's end. */
export function toneOf(run: End): Tone {
  if (!run.ended) return 'good'
  if (['failed', 'crashed', 'removed', 'threshold', 'error_brake', 'journal_failed'].includes(run.reason)) return 'bad'
  return run.reason === 'killed' ? 'warn' : 'note'
}
