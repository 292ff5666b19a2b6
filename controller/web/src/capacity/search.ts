// The results of a capacity search.
import type { Schemas } from '../api/client'
import { unitOf } from '../runs/thresholds'
import { latency, percent, rate } from '../text'

export type Capacity = Schemas['RunCapacity']
export type Step = Schemas['RunCapacityStep']

export type Curve = { at: number[]; p50: number[]; p95: number[]; errors: number[] }

/** The valid measurements by rate; of several at one rate the longest. */
export function curve(steps: Step[]): Curve {
  const byRate = new Map<number, Step>()
  for (const step of steps.filter((s) => !s.void)) {
    const known = byRate.get(step.offered_visit_rate)
    if (!known || step.measured_seconds >= known.measured_seconds) byRate.set(step.offered_visit_rate, step)
  }
  const sorted = [...byRate.values()].sort((a, b) => a.offered_visit_rate - b.offered_visit_rate)
  return {
    at: sorted.map((s) => s.offered_visit_rate),
    p50: sorted.map((s) => s.latency.p50),
    p95: sorted.map((s) => s.latency.p95),
    errors: sorted.map((s) => s.error_share),
  }
}

export const kindNames: Record<string, string> = { raise: 'Raise', bisect: 'Bisect', confirm: 'Confirm' }

const metricNames: Record<string, string> = {
  error_share: 'error share',
  achieved_rate: 'achieved rate',
  hit_rate: 'hits/s',
}
const formats = { share: percent, seconds: latency, rate, count: rate }

/** The result of a search, or what it has found so far, as a sentence. */
export function result(c: Capacity, searching: boolean): string {
  const aborted = c.void ? `; search aborted: ${c.void}` : ''
  const limit = (c.limit ?? []).map(
    (v) => `${metricNames[v.metric] ?? v.metric} ${formats[unitOf(v.metric)](v.value ?? NaN)} (${v.expression})`,
  )
  const cause = limit.length ? `; limited by ${limit.join(' and ')}` : ''
  const found = `${rate(c.visit_rate)} visits/s (${rate(c.hit_rate)} hits/s)`
  if (c.confirmed) {
    const unlimited = searching ? '' : `; no threshold failed up to the maximum rate of ${rate(c.to)} visits/s`
    return `${found} on this Matomo${aborted || cause || unlimited}.`
  }
  if (c.visit_rate > 0) return `${found} passed, not yet confirmed for a minute${aborted || cause}.`
  if (c.broken_rate) return `The start rate of ${rate(c.from)} visits/s already failed${aborted || cause}.`
  return `${searching ? 'Searching; no step has finished yet' : 'No limit found'}${aborted}.`
}

/** The longest time a search measures, in seconds: raising fourfold, bisecting to 3 %, and a minute to confirm. */
export function estimateSeconds(from: number, to: number, step: number): number | undefined {
  if (!(from > 0 && to >= from && step > 0)) return
  const raises = Math.ceil(Math.log(to / from) / Math.log(4)) + 1
  const bisections = Math.ceil(Math.log2(Math.log(4) / Math.log(1.03)))
  return (raises + bisections) * step + 60
}
