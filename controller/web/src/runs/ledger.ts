// Records of runs and samples of the one that goes on, as one shape: what a ledger says.
import type { Schemas } from '../api/client'
import type { Status } from '../api/live.svelte'

export type Hits = Schemas['RunHits']
export type Latency = Schemas['RunLatency']
export type Verdict = Schemas['RunVerdict']
export type Reason = Schemas['RunReason']

export type Ledger = {
  hits: Hits
  byKind: Record<string, Hits>
  byTarget: Record<string, Hits>
  /** By fate, and planned: all that began. */
  visits: Record<string, number>
  /** Of the whole run; a sample does not know it. */
  latency?: Latency
  revenue: number
  /** Visits that the schedule asked for; undefined where the record does not tell. */
  due?: number
  /** What the run had to keep. */
  thresholds: Verdict[]
  /** Why hits were not accepted. */
  reasons: Reason[]
  /** What was odd about answers that accepted hits. */
  warnings: Reason[]
  /** Why the run ended, where nobody asked for it. */
  message?: string
}

/** The outcomes in which a hit may end, the good one first. */
export const outcomes = ['accepted', 'rejected', 'failed', 'unknown', 'shed', 'abandoned'] as const
export type Outcome = (typeof outcomes)[number]

/** The visitOutcomes in which a visit may end, the good one first. */
export const visitOutcomes = ['complete', 'partial', 'uncertain', 'lost', 'unsent'] as const

/** A run that has ended can be deleted, and one without an end that is not on: its end could not be recorded. */
export const deletable = (run: { id: string; kind: string; ended: string | null }, now?: Status) =>
  !!run.ended || (run.kind !== 'backfill' && !!now && (now.run?.id !== run.id || !!now.run.ended))

/** Hits that have ended. */
export const ended = (h: Hits) => outcomes.reduce((sum, o) => sum + h[o], 0)

/** Hits that are planned and have not ended. */
export const open = (h: Hits) => Math.max(0, h.planned - ended(h))

/** Hits that were tried and not accepted; those abandoned by a stop are none. */
export const errors = (h: Hits) => h.rejected + h.failed + h.unknown + h.shed

/** The share of errors among the hits that were tried; not a number where none was. */
export const errorShare = (h: Hits) => errors(h) / (errors(h) + h.accepted)

/** The share of accepted hits among those that have ended; not a number where none has. */
export const acceptedShare = (h: Hits) => h.accepted / ended(h)

/** The ledger of record; undefined where there is none. */
export function summaryLedger(summary: unknown): Ledger | undefined {
  if (!summary || typeof summary !== 'object') return
  const s = summary as Partial<{
    hits: Hits
    by_kind: Record<string, Hits>
    by_target: Record<string, Hits>
    visits: Record<string, number>
    latency: Latency
    revenue: number
    visits_due: number
    thresholds: Verdict[] | null
    reasons: Reason[] | null
    warnings: Reason[] | null
    message: string
  }>
  if (!s.hits) return
  return {
    hits: s.hits,
    byKind: s.by_kind ?? {},
    byTarget: s.by_target ?? {},
    visits: s.visits ?? {},
    latency: s.latency,
    revenue: s.revenue ?? 0,
    due: s.visits_due,
    thresholds: s.thresholds ?? [],
    reasons: s.reasons ?? [],
    warnings: s.warnings ?? [],
    message: s.message,
  }
}

/** What a run has done so far. */
export function liveLedger(s: Schemas['LiveSample']): Ledger {
  return {
    hits: s.hits,
    byKind: s.by_kind,
    byTarget: Object.fromEntries((s.targets ?? []).map((t) => [t.name, t.hits])),
    visits: s.visits,
    revenue: s.revenue,
    due: s.visits_due,
    thresholds: s.thresholds ?? [],
    reasons: s.reasons ?? [],
    warnings: s.warnings ?? [],
  }
}

/** The share of the visits due that were begun and at least tried to be sent; not a number where none was due. */
export function achieved(l: Ledger): number {
  if (!l.due) return NaN
  return begun(l) / l.due
}

/** Visits that were begun and at least tried to be sent. */
export const begun = (l: Ledger) => Math.max(0, (l.visits.planned ?? 0) - (l.visits.unsent ?? 0))

/** Labels as somebody writes them, separated by commas. */
export const parseLabels = (text: string) => [
  ...new Set(
    text
      .split(',')
      .map((l) => l.trim())
      .filter(Boolean),
  ),
]

/** The record tells how things stand: of what has ended, and of a job, of which the live numbers know nothing. */
export const recorded = (r: Pick<Schemas['RunHead'], 'ended' | 'kind'>) => !!r.ended || r.kind === 'backfill'

type Run = { started: string; ended: string | null; duration_seconds: number | null }

/** The length of a run in seconds, up to `now` in milliseconds while it is under way. */
export const durationOf = (r: Run, now: number) =>
  r.ended ? (r.duration_seconds ?? 0) : Math.max(0, now - Date.parse(r.started)) / 1000

/** The latest run before one that had the same plan; undefined where there was none. */
export function previousRun<R extends Pick<Schemas['RunHead'], 'id' | 'plan_hash' | 'started'>>(
  run: Pick<Schemas['RunHead'], 'plan_hash' | 'started'>,
  others: R[],
): R | undefined {
  const before = others.filter(
    (r) => run.plan_hash && r.plan_hash === run.plan_hash && Date.parse(r.started) < Date.parse(run.started),
  )
  return before.sort((a, b) => Date.parse(b.started) - Date.parse(a.started))[0]
}

/** The exit code of a run that missed a threshold or that the error brake ended. */
export const thresholdExitCode = 4

/** Whether a run that ended kept all its thresholds; undefined where nobody set one and the built-in one held. */
export function passed(run: { ended: string | null; exit_code?: number | null }, verdicts?: Verdict[] | null) {
  if (!run.ended) return
  if (run.exit_code === thresholdExitCode) return false
  if (verdicts?.some((v) => !v.held && !v.pending)) return false
  return verdicts?.some((v) => !v.built_in) ? true : undefined
}

/** How the end of a run is to be seen. */
export function toneOf(r: {
  ended: string | null
  reason: string
  exit_code?: number | null
}): 'good' | 'warn' | 'bad' | 'note' {
  if (!r.ended) return 'good'
  if (['failed', 'crashed', 'removed', 'threshold', 'error_brake', 'journal_failed'].includes(r.reason)) return 'bad'
  return r.reason === 'killed' ? 'warn' : 'note'
}
