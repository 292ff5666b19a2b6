import { describe, expect, it } from 'vitest'
import { months, summarize, weekday, type Day } from './calendar'

const day = (date: string, visits = 10, skipped = ''): Day => ({ date, visits, skipped })

describe('the calendar', () => {
  it('starts weeks on Monday and omits those without a day of the range', () => {
    expect(weekday('2026-11-23')).toBe(0)
    const [month] = months([day('2026-11-22'), day('2026-11-23')])
    expect(month!.weeks.map((w) => w.map((d) => d?.date.slice(8)))).toEqual([
      [undefined, undefined, undefined, undefined, undefined, undefined, '22'],
      ['23', undefined, undefined, undefined, undefined, undefined, undefined],
    ])
  })
  it('has a month for each, over the turn of the year and the end of February', () => {
    const keys = (...dates: string[]) => months(dates.map((d) => day(d))).map((m) => m.key)
    expect(keys('2025-12-31', '2026-01-01')).toEqual(['2025-12', '2026-01'])
    expect(keys('2028-02-29', '2028-03-01')).toEqual(['2028-02', '2028-03'])
  })
})

describe('the sum', () => {
  it('counts visits and days, and skipped days by reason', () => {
    const total = summarize([
      day('2026-01-01', 5),
      day('2026-01-02', 9),
      day('2026-01-03', 0, 'cap'),
      day('2026-01-04', 0, 'cap'),
    ])
    expect(total).toMatchObject({ visits: 14, sent: 2, skipped: [{ reason: 'cap', days: 2 }] })
    expect(total.busiest?.date).toBe('2026-01-02')
  })
})
