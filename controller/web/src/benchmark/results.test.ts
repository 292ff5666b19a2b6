import { describe, expect, it } from 'vitest'
import { each, key, rows, size, turned, type Difference, type Timing } from './results'

const timing = (report: string, period: string, p50: number, more: Partial<Timing> = {}): Timing => ({
  report,
  method: 'X.get',
  period,
  segment: '',
  cold: p50 * 2,
  warm: { requests: 5, p50, p95: p50, max: p50, times: [p50] },
  parallel: { requests: 0, p50: 0, p95: 0, max: 0 },
  rows: 1,
  bytes: 10,
  timeouts: 0,
  failures: 0,
  ...more,
})
const all = [
  timing('Goals', 'month', 0.2),
  timing('Cities', 'day', 0.5, { segment: 'countryCode==se' }),
  timing('Pages', 'week', 0.1, { cold: null }),
]
const every = { period: null, segment: null }
const names = (list: Timing[]) => list.map((r) => r.report)

describe('the table of reports', () => {
  it('has the slowest first, and turns round', () => {
    const order = turned({ by: 'report', down: false }, 'p50')
    expect(names(rows(all, every, order, new Map()))).toEqual(['Cities', 'Goals', 'Pages'])
    expect(names(rows(all, every, turned(order, 'p50'), new Map()))).toEqual(['Pages', 'Goals', 'Cities'])
  })
  it('has names from their first, and periods by their length', () => {
    expect(names(rows(all, every, turned({ by: 'p50', down: true }, 'report'), new Map()))).toEqual([
      'Cities',
      'Goals',
      'Pages',
    ])
    expect(names(rows(all, every, { by: 'period', down: false }, new Map()))).toEqual(['Cities', 'Pages', 'Goals'])
  })
  it('puts what has no cold answer last of the slowest', () => {
    expect(names(rows(all, every, { by: 'cold', down: true }, new Map())).at(-1)).toBe('Pages')
  })
  it('puts what fails and what got slower first by verdict', () => {
    const verdict = (r: Timing, v: Difference['verdict']) =>
      [key(r), { ...r, verdict: v, before: null, now: null, ratio: null }] as [string, Difference]
    const differences = new Map([verdict(all[0]!, 'slower'), verdict(all[1]!, 'same'), verdict(all[2]!, 'failing')])
    expect(names(rows(all, every, { by: 'verdict', down: true }, differences))).toEqual(['Pages', 'Goals', 'Cities'])
  })
  it('filters by period and segment, of which all visits is one', () => {
    expect(names(rows(all, { period: 'week', segment: null }, { by: 'p50', down: true }, new Map()))).toEqual(['Pages'])
    expect(names(rows(all, { period: null, segment: '' }, { by: 'p50', down: true }, new Map()))).toEqual([
      'Goals',
      'Pages',
    ])
    expect(each(all, 'segment')).toEqual(['', 'countryCode==se'])
  })
  it('tells sizes', () => {
    expect([950, 1234, 123_456, 2_345_678].map(size)).toEqual(['950 B', '1.2 kB', '123 kB', '2.3 MB'])
  })
})
