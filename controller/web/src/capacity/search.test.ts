import { describe, expect, it } from 'vitest'
import { curve, estimateSeconds, result, type Capacity, type Step } from './search'

const step = (rate: number, measured: number, p95: number): Step => ({
  kind: 'raise',
  started: '2026-11-25T00:00:00Z',
  settled_seconds: 1,
  measured_seconds: measured,
  offered_visit_rate: rate,
  visit_rate: rate,
  hit_rate: rate * 5,
  latency: { p50: p95 / 2, p95, p99: p95 },
  error_share: 0,
  held: true,
  verdicts: [],
})

const nothing: Capacity = {
  from: 1,
  to: 100,
  thresholds: ['p95<1s'],
  visit_rate: 0,
  hit_rate: 0,
  confirmed: false,
  steps: [],
}

describe('the curve of a capacity search', () => {
  it('goes by rate, not by time', () => {
    expect(curve([step(10, 10, 0.1), step(40, 10, 0.9), step(20, 10, 0.2)])).toMatchObject({
      at: [10, 20, 40],
      p95: [0.1, 0.2, 0.9],
    })
  })
  it('leaves out what is void', () => {
    expect(curve([step(10, 10, 0.1), { ...step(40, 60, 0.9), void: 'the loadgen was suspended' }]).at).toEqual([10])
  })
  it('believes the longest measurement of a rate', () => {
    expect(curve([step(10, 60, 0.3), step(10, 10, 0.1)]).p95).toEqual([0.3])
  })
})

describe('the result', () => {
  it('depends on the rates that passed and failed', () => {
    expect(result(nothing, true)).toBe('Searching; no step has finished yet.')
    expect(result({ ...nothing, visit_rate: 5, hit_rate: 30 }, true)).toBe(
      '5 visits/s (30 hits/s) passed, not yet confirmed for a minute.',
    )
    expect(result({ ...nothing, visit_rate: 5, hit_rate: 30, confirmed: true, to: 9 }, false)).toBe(
      '5 visits/s (30 hits/s) on this Matomo; no threshold failed up to the maximum rate of 9 visits/s.',
    )
    expect(result({ ...nothing, broken_rate: 1, from: 1 }, false)).toBe('The start rate of 1 visits/s already failed.')
  })
  it('has the failed metrics in their units', () => {
    const limit = [
      { metric: 'p95', expression: 'p95<1s', value: 1.5, held: false },
      { metric: 'error_share', expression: 'error_share<1%', value: 0.02, held: false },
    ] as Capacity['limit']
    expect(result({ ...nothing, visit_rate: 5, hit_rate: 30, confirmed: true, limit }, false)).toBe(
      '5 visits/s (30 hits/s) on this Matomo; limited by p95 1.5 s (p95<1s) and error share 2 % (error_share<1%).',
    )
  })
})

describe('the estimated time', () => {
  it('grows with the steps up to the end', () => {
    expect(estimateSeconds(1, 1000, 10)).toBe((1 + 5 + 6) * 10 + 60)
    expect(estimateSeconds(10, 5, 10)).toBeUndefined()
  })
})
