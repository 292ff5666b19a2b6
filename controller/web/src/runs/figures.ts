// The figures and details of a run, formatted.
import type { Schemas } from '../api/client'
import { money, count, latency, percent, percentiles, duration, dateTime, words } from '../text'
import { acceptedShare, achieved, begun, ended, errors, errorShare, durationOf, type Ledger } from './ledger'

/** The totals of a ledger, each with a note. */
export function figures(ledger: Ledger): [name: string, value: string, aside?: string][] {
  const { hits, visits, due, latency: l, revenue } = ledger
  const tried = errors(hits) + hits.accepted
  return [
    ['Visits', count(visits.planned ?? 0)],
    ['Achieved rate', percent(achieved(ledger)), due ? `${count(begun(ledger))} of ${count(due)} visits due` : ''],
    ['Hits accepted', count(hits.accepted), `of ${count(hits.planned)} planned`],
    ['Accepted share', percent(acceptedShare(hits)), `${count(hits.accepted)} of ${count(ended(hits))} finished hits`],
    ['Errors', percent(errorShare(hits)), `${count(errors(hits))} of ${count(tried)} hits`],
    ['Latency p95', l ? latency(l.p95) : words.none, l ? percentiles(l) : 'available when the run ends'],
    ['Revenue', money(revenue)],
  ]
}

/** The details of a run; `now` in milliseconds ends one that is in progress. */
export function details(run: Schemas['HistoryRecord'], now: number): [name: string, value: string][] {
  const list: [string, string][] = [
    ['Kind', words.runs.kinds[run.kind] ?? run.kind],
    ['Started', dateTime(run.started)],
    ['Ended', run.ended ? dateTime(run.ended) : words.none],
    ['Duration', duration(durationOf(run, now))],
    ['Seed', String(run.seed)],
    ['Plan', run.plan_hash || words.none],
  ]
  return run.exit_code === null ? list : [...list, ['Exit code', String(run.exit_code)]]
}
