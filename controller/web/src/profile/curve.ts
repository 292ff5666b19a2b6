// The weights of the hours of a day or a week, as numbers and as the text of the setting.

export const hours = 24
const days = 7
/** An hour as the time of day, such as 09:00. */
export const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`

export const weekdays = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** Parses 24 or 168 weights; undefined if the text is something else. */
export function parseWeights(text: string): number[] | undefined {
  const numbers = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)))
  const complete = numbers.length === hours || numbers.length === hours * days
  return complete && numbers.every((n) => Number.isFinite(n) && n >= 0) ? numbers : undefined
}

/** Formats weights with three significant digits. */
export const formatWeights = (curve: number[]) => curve.map((n) => String(Number(n.toPrecision(3)))).join(', ')

/** The weights of a day, 0 for Monday, of a daily or weekly curve. */
export const dayOf = (curve: number[], day: number) =>
  curve.length === hours ? curve : curve.slice(day * hours, (day + 1) * hours)

/** The curve with the weight of an hour of a day replaced. */
export function withWeight(curve: number[], day: number, hour: number, weight: number): number[] {
  const at = curve.length === hours ? hour : day * hours + hour
  return curve.with(at, Math.max(0, weight))
}

/** The average day of a week. */
export const asDay = (curve: number[]) =>
  Array.from({ length: hours }, (_, hour) => {
    const same = Array.from({ length: curve.length / hours }, (_, day) => curve[day * hours + hour]!)
    return same.reduce((sum, n) => sum + n, 0) / same.length
  })

/** A week of equal days. */
export const asWeek = (day: number[]) => Array.from({ length: days }, () => day).flat()

/** A week in which every day equals the given one. */
export const withDayCopied = (curve: number[], day: number) => asWeek(dayOf(curve, day))

/** The weights of a week's chart, with a mean of 100: the rates in the middle of each hour. */
export function fromDrawing(points: { at_seconds: number; rate_per_day: number }[]): number[] {
  let at = 0
  const rates = Array.from({ length: hours * days }, (_, hour) => {
    while (at + 1 < points.length && points[at + 1]!.at_seconds <= (hour + 0.5) * 3600) at++
    return points[at]?.rate_per_day ?? 0
  })
  const mean = rates.reduce((sum, n) => sum + n, 0) / rates.length
  return rates.map((n) => (mean ? (n / mean) * 100 : 0))
}
