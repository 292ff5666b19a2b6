// The figures and details of a run, formatted.
import type { Schemas } from '../api/client'
import { money, count, latency, percent, duration, dateTime, words } from '../text'
import { acceptedShare, achieved, begun, ended, errors, errorShare, durationOf, type Ledger } from './ledger'

const w = words.runs
const f = words.dashboard.figures

/** The totals of a ledger, each with a note. */
export function figures(ledger: Ledger): [name: string, value: string, aside?: string][] {
  const { hits, visits, due, latency: l, revenue } = ledger
  const tried = errors(hits) + hits.accepted
  return [
    [w.totals.visits, count(visits.planned ?? 0)],
    [w.achieved, percent(achieved(ledger)), due ? w.ofDue(count(begun(ledger)), count(due)) : ''],
    [w.totals.hits, count(hits.accepted), w.ofPlanned(count(hits.planned))],
    [w.totals.share, percent(acceptedShare(hits)), w.ofEnded(count(hits.accepted), count(ended(hits)))],
    [f.errors, percent(errorShare(hits)), f.errorCounts(count(errors(hits)), count(tried))],
    [
      w.totals.latency,
      l ? latency(l.p95) : words.none,
      l ? f.percentiles(latency(l.p50), latency(l.p99)) : w.whenEnded,
    ],
    [w.totals.revenue, money(revenue)],
  ]
}

/** The details of a run; `now` in milliseconds ends one that is in progress. */
export function details(run: Schemas['HistoryRecord'], now: number): [name: string, value: string][] {
  const list: [string, string][] = [
    [w.details.kind, w.kinds[run.kind] ?? run.kind],
    [w.details.started, dateTime(run.started)],
    [w.details.ended, run.ended ? dateTime(run.ended) : words.none],
    [w.details.length, duration(durationOf(run, now))],
    [w.details.seed, String(run.seed)],
    [w.details.plan, run.plan_hash || words.none],
  ]
  return run.exit_code === null ? list : [...list, [w.details.exit, String(run.exit_code)]]
}
