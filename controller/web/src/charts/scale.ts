// Axes and lines of charts.

/** About `steps` round values from 0 to at least `max`; 0 and 1 if `max` is not positive. */
export function ticks(max: number, steps: number): number[] {
  if (!(max > 0)) return [0, 1]
  const rough = max / steps
  const power = 10 ** Math.floor(Math.log10(rough))
  const step = [1, 2, 5, 10].map((n) => n * power).find((n) => n >= rough * 0.999)!
  const count = Math.ceil(max / step - 1e-9)
  return Array.from({ length: count + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

/** An SVG path through points, with gaps for missing values. */
export function path(xs: number[], ys: (number | null)[]): string {
  let out = ''
  for (let i = 0; i < xs.length; i++) {
    const y = ys[i]
    if (y == null) continue
    const pen = i > 0 && ys[i - 1] != null ? 'L' : 'M'
    out += `${pen}${xs[i]!.toFixed(1)} ${y.toFixed(1)}`
  }
  return out
}

/** The index of the number nearest to `x`; -1 if there is none. */
export function nearest(xs: number[], x: number): number {
  let best = -1
  for (let i = 0; i < xs.length; i++) if (best < 0 || Math.abs(xs[i]! - x) < Math.abs(xs[best]! - x)) best = i
  return best
}
