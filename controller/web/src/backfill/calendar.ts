// The days of a backfill: as a calendar, and summarized.

export type Day = {
  /** YYYY-MM-DD in the site's time zone. */
  date: string
  visits: number
  /** Why the day is skipped; empty if it is sent. */
  skipped: string
}

/** A month, YYYY-MM. Weeks start on Monday; days outside the month or the date range are undefined. */
export type Month = { key: string; weeks: (Day | undefined)[][] }

/** A date as midnight UTC. */
export const utcDate = (date: string) => new Date(`${date}T00:00:00Z`)

const mediumDate = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeZone: 'UTC' })

/** A date in the browser's locale, such as 1 Dec 2026. */
export const dateText = (date: string) => mediumDate.format(utcDate(date))

/** The day of the week, 0 for Monday. */
export const weekday = (date: string) => (utcDate(date).getUTCDay() + 6) % 7

export function months(days: Day[]): Month[] {
  const out: Month[] = []
  for (const day of days) {
    const key = day.date.slice(0, 7)
    let month = out.at(-1)
    if (month?.key !== key) out.push((month = { key, weeks: [] }))
    const at = weekday(`${key}-01`) + Number(day.date.slice(8)) - 1
    const week = (month.weeks[Math.floor(at / 7)] ??= Array.from({ length: 7 }, () => undefined))
    week[at % 7] = day
  }
  // Weeks before the first day are missing.
  return out.map((m) => ({ ...m, weeks: m.weeks.filter(Boolean) }))
}

export type Sum = { visits: number; sent: number; busiest?: Day; skipped: { reason: string; days: number }[] }

/** The number of visits and of days with visits, the busiest day, and the number of skipped days by reason. */
export function summarize(days: Day[]): Sum {
  const sent = days.filter((d) => !d.skipped)
  const reasons = new Map<string, number>()
  for (const { skipped } of days) if (skipped) reasons.set(skipped, (reasons.get(skipped) ?? 0) + 1)
  return {
    visits: sent.reduce((sum, d) => sum + d.visits, 0),
    sent: sent.length,
    busiest: sent.toSorted((a, b) => b.visits - a.visits)[0],
    skipped: [...reasons].map(([reason, days]) => ({ reason, days })),
  }
}
