import { describe, expect, it } from 'vitest'
import { change, difference, groupName, groups, type Row, rowName, value } from './comparison'

const row = (unit: Row['unit'], a: number | null, b: number | null, more: Partial<Row> = {}): Row => ({
  group: 'Hits',
  name: 'accepted',
  unit,
  a,
  b,
  difference: a === null || b === null ? null : b - a,
  share: a === null || b === null ? null : (b - a) / a,
  beyond_noise: true,
  why: '',
  ...more,
})

describe('a row of a comparison', () => {
  it('is told in its unit, with the sign of the difference', () => {
    const latency = row('seconds', 0.05, 0.1)
    expect([value(latency, latency.b), difference(latency), change(latency)]).toEqual(['100 ms', '+50 ms', '+100 %'])
    expect(difference(row('count', 1200, 1000))).toBe('−200')
    expect(difference(row('share', 0.02, 0.01))).toBe('−1 points')
    expect(change(row('per_second', 10, 10))).toBe('0 %')
  })
  it('has no difference where a run has no such number', () => {
    const gone = row('count', null, 5)
    expect([value(gone, gone.a), difference(gone), change(gone)]).toEqual(['–', '–', '–'])
  })
  it('stands under its heading, what matters most first', () => {
    const of = (group: string, name = 'planned') => row('count', 1, 1, { group, name })
    const rows = [of('kind:pageview'), of('hits'), of('latency', 'p95'), of('hits', 'accepted'), of('target:a: b')]
    expect(groups(rows).map(([group, list]) => [groupName(group), list.map(rowName)])).toEqual([
      ['Latency', ['p95']],
      ['Hits', ['Planned', 'Accepted']],
      ['Hits: Pageviews', ['Planned']],
      ['Target: a: b', ['Planned']],
    ])
  })
})
