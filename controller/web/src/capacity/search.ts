// What a capacity search has measured, in the order in which a person reads it: by rate.
import type { Schemas } from '../api/client'

export type Capacity = Schemas['RunCapacity']
export type Step = Schemas['RunCapacityStep']

export type Curve = { at: number[]; p50: number[]; p95: number[]; errors: number[] }

/** The curve over the rates that were tried, without what is void. Where one was tried again, what was measured longest stands for it. */
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

/** What is known of the limit: nothing yet, a rate that held, or one that held for a minute too; none where all broke. */
export function outcome(c: Capacity): 'nothing' | 'held' | 'confirmed' | 'none' {
  if (c.confirmed) return 'confirmed'
  if (c.visit_rate > 0) return 'held'
  return c.broken_rate ? 'none' : 'nothing'
}

/** How a metric of a verdict is counted. */
export function unitOf(metric: string): 'share' | 'seconds' | 'number' {
  if (/^p\d+$/.test(metric)) return 'seconds'
  return metric === 'achieved_rate' || metric.endsWith('_share') ? 'share' : 'number'
}

/** About how long a search measures at most, in seconds: raising fourfold, closing in to 3 %, and a minute on end. */
export function estimateSeconds(from: number, to: number, step: number): number | undefined {
  if (!(from > 0 && to >= from && step > 0)) return
  const raises = Math.ceil(Math.log(to / from) / Math.log(4)) + 1
  const bisections = Math.ceil(Math.log2(Math.log(4) / Math.log(1.03)))
  return (raises + bisections) * step + 60
}
