// Records of runs and samples of the one that goes on, as one shape: what a ledger says.
import type { Schemas } from '../api/client'

export type Hits = Schemas['LiveHits']
export type Latency = Schemas['LiveLatency']

export type Ledger = {
  hits: Hits
  byKind: Record<string, Hits>
  byTarget: Record<string, Hits>
  /** By fate, and planned: all that began. */
  visits: Record<string, number>
  /** Of the whole run; a sample does not know it. */
  latency?: Latency
  revenue: number
  /** Why the run ended, where nobody asked for it. */
  message?: string
}

/** The outcomes in which a hit may end, the good one first. */
export const outcomes = ['accepted', 'rejected', 'failed', 'unknown', 'shed', 'abandoned'] as const
export type Outcome = (typeof outcomes)[number]

/** The fates in which a visit may end, the good one first. */
export const fates = ['complete', 'partial', 'uncertain', 'lost', 'unsent'] as const

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
export function fromSummary(summary: unknown): Ledger | undefined {
  if (!summary || typeof summary !== 'object') return
  const s = summary as Partial<{
    hits: Hits
    by_kind: Record<string, Hits>
    by_target: Record<string, Hits>
    visits: Record<string, number>
    latency: Latency
    revenue: number
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
    message: s.message,
  }
}

/** What a run has done so far. */
export function fromSample(s: Schemas['LiveSample']): Ledger {
  return {
    hits: s.hits,
    byKind: s.by_kind,
    byTarget: Object.fromEntries((s.targets ?? []).map((t) => [t.name, t.hits])),
    visits: s.visits,
    revenue: s.revenue,
  }
}

type Run = { started: string; ended: string | null }

/** The length of a run in seconds, up to `now` in milliseconds while it goes on. */
export const length = (r: Run, now: number) =>
  Math.max(0, (r.ended ? Date.parse(r.ended) : now) - Date.parse(r.started)) / 1000

/** How the end of a run is to be seen. */
export function toneOf(r: { ended: string | null; reason: string }): 'good' | 'warn' | 'bad' | 'note' {
  if (!r.ended) return 'good'
  if (['failed', 'crashed', 'removed'].includes(r.reason)) return 'bad'
  return r.reason === 'killed' ? 'warn' : 'note'
}
