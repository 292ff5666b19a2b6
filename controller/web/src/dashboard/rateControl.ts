// What a run that goes on is asked for, and what came of it.
import type { Point } from '../api/live.svelte'

/** The bounds of the rate, in percent of the plan's, as the controller has them. */
export const minPercent = 1
export const maxPercent = 10_000

/** Seconds over which the rate is measured after a change: short, so that the rate of before is soon out of it. */
export const windowSeconds = 10

/** Visits begun per second in the last seconds; not a number where nothing was measured. */
export function measuredRate(points: Point[], seconds = windowSeconds): number {
  const end = points.at(-1)?.at ?? 0
  let visits = 0
  let took = 0
  for (let i = points.length - 1; i > 0; i--) {
    const since = points[i]!.at - points[i - 1]!.at
    if (points[i]!.at <= end - seconds || since > seconds) break
    visits += points[i]!.visit_rate * since
    took += since
  }
  return visits / took
}

/** The scale of a percentage that somebody wrote; undefined where it is none or out of bounds. */
export function scaleOf(text: string): number | undefined {
  const percent = Number(text.trim().replace(',', '.').replace(/\s*%$/, ''))
  return text.trim() && percent >= minPercent && percent <= maxPercent ? percent / 100 : undefined
}

/** A scale as a percentage to write. */
export const percentOf = (scale: number) => String(Math.round(scale * 1e4) / 100)
