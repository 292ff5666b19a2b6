// Many seconds as few columns: what a chart of limited width can show, without inventing anything.
import type { Point } from '../api/live.svelte'

/** The columns of the live charts. Rates are per second; null is "not measured". */
export type Columns = {
  /** Unix seconds at which each column begins. */
  times: number[]
  /** Seconds that a column stands for. */
  step: number
  visits: (number | null)[]
  /** What the planned rate was multiplied by, 0 while paused. */
  scale: (number | null)[]
  planned: (number | null)[]
  accepted: (number | null)[]
  rejected: (number | null)[]
  failed: (number | null)[]
  unknown: (number | null)[]
  shed: (number | null)[]
  p50: (number | null)[]
  p95: (number | null)[]
  p99: (number | null)[]
}

const rates = ['planned', 'accepted', 'rejected', 'failed', 'unknown', 'shed'] as const
const means = ['visits', 'scale'] as const
const percentiles = ['p50', 'p95', 'p99'] as const

/** Seconds without a point after which a line is broken. */
const gap = 5
/** The spans a column may have. */
const longest = 60
const steps = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30]

/** The shortest step by which `seconds` need no more than `most` columns. */
export function stepFor(seconds: number, most: number): number {
  return steps.find((s) => seconds / s <= most) ?? longest
}

/**
 * The points from `from` to `to`, in Unix seconds, in at most about `most` columns. Rates are what was counted over the
 * time it took. Percentiles cannot be averaged: of a column's seconds the highest is shown.
 */
export function downsample(points: Point[], from: number, to: number, most = 600): Columns {
  const step = stepFor(to - from, most)
  const out: Columns = {
    times: [],
    step,
    ...{ visits: [], scale: [], planned: [], accepted: [], rejected: [], failed: [], unknown: [], shed: [] },
    ...{ p50: [], p95: [], p99: [] },
  }
  const sum = { visits: 0, scale: 0, planned: 0, accepted: 0, rejected: 0, failed: 0, unknown: 0, shed: 0 }
  const top = { p50: 0, p95: 0, p99: 0 }
  let seconds = 0
  let bucket = NaN

  function close() {
    if (!seconds) return
    out.times.push(bucket * step)
    for (const k of means) out[k].push(sum[k] / seconds)
    for (const k of rates) out[k].push(sum[k] / seconds)
    for (const k of percentiles) out[k].push(top[k] || null)
    sum.visits = sum.scale = seconds = 0
    for (const k of rates) sum[k] = 0
    for (const k of percentiles) top[k] = 0
  }
  function interrupt(at: number) {
    out.times.push(at)
    for (const k of means) out[k].push(null)
    for (const k of rates) out[k].push(null)
    for (const k of percentiles) out[k].push(null)
  }

  const first = firstFrom(points, from)
  let last = points[first - 1]?.at ?? NaN
  for (let i = first, p; (p = points[i]) && p.at <= to; i++) {
    const since = p.at - last
    if (Math.floor(p.at / step) !== bucket) {
      const before = bucket
      close()
      bucket = Math.floor(p.at / step)
      if (since > gap && bucket - before > 1) interrupt((before + 1) * step)
    }
    const took = lasted(p, since)
    seconds += took
    sum.visits += p.visit_rate * took
    sum.scale += p.scale * took
    for (const k of rates) sum[k] += p.delta[k]
    for (const k of percentiles) top[k] = Math.max(top[k], p.latency[k])
    last = p.at
  }
  close()
  return out
}

/** The seconds a point stands for: those that its rate was divided by, else those since the point before. */
function lasted(p: Point, since: number): number {
  if (p.hit_rate > 0) return p.delta.accepted / p.hit_rate
  return since > 0 && since <= gap ? since : 1
}

/** The index of the first point at or after `from`. */
function firstFrom(points: Point[], from: number): number {
  let low = 0
  let high = points.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((points[middle]?.at ?? Infinity) < from) low = middle + 1
    else high = middle
  }
  return low
}
