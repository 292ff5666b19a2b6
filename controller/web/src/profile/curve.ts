// The weights of the hours of a day or a week, as texts of the setting and as numbers that bars are drawn from.

export const hours = 24
export const days = 7

/** The weights of a text, 24 or 168 of them; undefined where it is something else. */
export function parseWeights(text: string): number[] | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  const whole = numbers.length === hours || numbers.length === hours * days
  return whole && numbers.every((n) => Number.isFinite(n) && n >= 0) ? numbers : undefined
}

/** Three significant digits say more of a weight than anybody knows. */
export const formatWeights = (curve: number[]) => curve.map((n) => String(Number(n.toPrecision(3)))).join(', ')

/** The weights of a day, Monday first, of either kind of curve. */
export const dayOf = (curve: number[], day: number) =>
  curve.length === hours ? curve : curve.slice(day * hours, (day + 1) * hours)

/** The curve with one weight changed, the hour counted within the day. */
export function withWeight(curve: number[], day: number, hour: number, weight: number): number[] {
  const at = curve.length === hours ? hour : day * hours + hour
  return curve.with(at, Math.max(0, weight))
}

/** The same day every day: each hour is its mean over the week. */
export const asDay = (curve: number[]) =>
  Array.from({ length: hours }, (_, hour) => {
    const same = Array.from({ length: curve.length / hours }, (_, day) => curve[day * hours + hour]!)
    return same.reduce((sum, n) => sum + n, 0) / same.length
  })

/** A week of which every day is this one. */
export const asWeek = (day: number[]) => Array.from({ length: days }, () => day).flat()

/** The curve with a day's weights put in the place of all other days. */
export const withDayCopied = (curve: number[], day: number) => asWeek(dayOf(curve, day))

/**
 * The weights of a drawn week, that of the mean hour 100: the rate in the middle of each hour of the points, of which two of
 * one moment are a step.
 */
export function fromDrawing(points: { at_seconds: number; rate_per_day: number }[]): number[] {
  let at = 0
  const rates = Array.from({ length: hours * days }, (_, hour) => {
    while (at + 1 < points.length && points[at + 1]!.at_seconds <= (hour + 0.5) * 3600) at++
    return points[at]?.rate_per_day ?? 0
  })
  const mean = rates.reduce((sum, n) => sum + n, 0) / rates.length
  return rates.map((n) => (mean ? (n / mean) * 100 : 0))
}
