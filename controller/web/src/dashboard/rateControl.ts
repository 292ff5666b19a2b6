// The requested and the measured rate of the current run.
import type { Point } from '../api/live.svelte'

/** The controller's bounds of the rate, in percent of the planned one. */
export const minPercent = 1
export const maxPercent = 10_000

/** Seconds over which the rate is measured; few, so that a change shows soon. */
export const windowSeconds = 10

/** Visits started per second in the last seconds; NaN if nothing was measured. */
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

/** Parses a percentage as a scale; undefined if it is invalid or out of bounds. */
export function scaleOf(text: string): number | undefined {
  const percent = Number(text.trim().replace(',', '.').replace(/\s*%$/, ''))
  return text.trim() && percent >= minPercent && percent <= maxPercent ? percent / 100 : undefined
}

/** A scale as a percentage to edit. */
export const percentOf = (scale: number) => String(Math.round(scale * 1e4) / 100)
