// Reduces the points of a chart to as many columns as fit its width.
import type { Point } from '../api/live.svelte'

const rates = ['planned', 'accepted', 'rejected', 'failed', 'unknown', 'shed'] as const
const means = ['visits', 'scale', ...rates] as const
const percentiles = ['p50', 'p95', 'p99'] as const
const names = [...means, ...percentiles]

/**
 * The columns of the live charts. Rates are per second; `scale` is the factor of the planned rate, 0 while paused; null is
 * "not measured".
 */
export type Columns = {
  /** The start of each column in Unix seconds. */
  times: number[]
  /** The seconds of a column. */
  step: number
} & Record<(typeof names)[number], (number | null)[]>

/** Seconds without a point that interrupt a line. */
const gap = 5
/** The possible lengths of a column in seconds. */
const steps = [1, 2, 3, 5, 6, 10, 12, 15, 20, 30, 60]

/** The shortest step with which `seconds` need at most `most` columns; 60 if there is none. */
export const stepFor = (seconds: number, most: number) => steps.find((s) => seconds / s <= most) ?? 60

const record = <T>(value: () => T) =>
  Object.fromEntries(names.map((k) => [k, value()])) as Record<(typeof names)[number], T>

/**
 * The points from `from` to `to`, in Unix seconds, in about `most` columns. Rates are exact; percentiles cannot be
 * averaged, so the highest of a column is shown.
 */
export function downsample(points: Point[], from: number, to: number, most = 600): Columns {
  const step = stepFor(to - from, most)
  const out: Columns = { times: [], step, ...record<(number | null)[]>(() => []) }
  let sum = record(() => 0)
  let seconds = 0
  let bucket = NaN

  function close() {
    if (!seconds) return
    out.times.push(bucket * step)
    for (const k of means) out[k].push(sum[k] / seconds)
    for (const k of percentiles) out[k].push(sum[k] || null)
    sum = record(() => 0)
    seconds = 0
  }
  function interrupt(at: number) {
    out.times.push(at)
    for (const k of names) out[k].push(null)
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
    const took = secondsOf(p, since)
    seconds += took
    sum.visits += p.visit_rate * took
    sum.scale += p.scale * took
    for (const k of rates) sum[k] += p.delta[k]
    for (const k of percentiles) sum[k] = Math.max(sum[k], p.latency[k])
    last = p.at
  }
  close()
  return out
}

/** The seconds that a point covers: those of its rate, otherwise those since the previous point. */
function secondsOf(p: Point, since: number): number {
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
