// Days of a backfill as a calendar: months, their weeks from Monday on, and what is said of all days together.

export type Day = {
  /** YYYY-MM-DD in the site's zone. */
  date: string
  visits: number
  /** Why nothing is sent of it; empty where something is. */
  skipped: string
}

export type Month = {
  /** YYYY-MM */
  key: string
  /** Weeks from Monday to Sunday; undefined where a day is of another month or not of the window. */
  weeks: (Day | undefined)[][]
}

// A date is counted in UTC: it has no hours that could move it.
const time = (date: string) => Date.parse(`${date}T00:00:00Z`)

/** The day of the week, 0 for Monday. */
export const weekday = (date: string) => (new Date(time(date)).getUTCDay() + 6) % 7

/** The days by month. */
export function months(days: Day[]): Month[] {
  const out: Month[] = []
  for (const day of days) {
    const key = day.date.slice(0, 7)
    let month = out.at(-1)
    if (month?.key !== key) out.push((month = { key, weeks: [] }))
    const first = weekday(`${key}-01`)
    const at = first + Number(day.date.slice(8)) - 1
    const week = Math.floor(at / 7)
    // Weeks before the window's first are left out.
    month.weeks[week] ??= Array.from({ length: 7 }, () => undefined)
    month.weeks[week][at % 7] = day
  }
  return out.map((m) => ({ ...m, weeks: m.weeks.filter((w) => w) }))
}

export type Sum = { visits: number; sent: number; busiest?: Day; skipped: { reason: string; days: number }[] }

/** What all days come to: visits, days with some, the busiest, and how many are skipped for which reason. */
export function summarize(days: Day[]): Sum {
  const out: Sum = { visits: 0, sent: 0, skipped: [] }
  for (const day of days) {
    if (day.skipped) {
      const known = out.skipped.find((s) => s.reason === day.skipped)
      if (known) known.days++
      else out.skipped.push({ reason: day.skipped, days: 1 })
      continue
    }
    out.visits += day.visits
    out.sent++
    if (!out.busiest || day.visits > out.busiest.visits) out.busiest = day
  }
  return out
}

/** A moment that lies on the date wherever it is read in UTC. */
export const utcDate = (date: string) => new Date(time(date))
