import { describe, expect, it } from 'vitest'
import { curve, outcome, estimateSeconds, unitOf, type Capacity, type Step } from './search'

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
    expect(curve([step(10, 10, 0.1), { ...step(40, 60, 0.9), void: 'the loadgen stood still' }]).at).toEqual([10])
  })
  it('believes the longest measurement of a rate', () => {
    expect(curve([step(10, 60, 0.3), step(10, 10, 0.1)]).p95).toEqual([0.3])
  })
})

describe('what was found', () => {
  it('is told by what held and what broke', () => {
    expect(outcome(nothing)).toBe('nothing')
    expect(outcome({ ...nothing, visit_rate: 5 })).toBe('held')
    expect(outcome({ ...nothing, visit_rate: 5, confirmed: true, broken_rate: 6 })).toBe('confirmed')
    expect(outcome({ ...nothing, broken_rate: 1 })).toBe('none')
  })
  it('is written in the unit of its metric', () => {
    expect(['p95', 'error_share', 'achieved_rate', 'unknown'].map(unitOf)).toEqual([
      'seconds',
      'share',
      'share',
      'number',
    ])
  })
})

describe('how long it takes', () => {
  it('grows with the steps up to the end', () => {
    expect(estimateSeconds(1, 1000, 10)).toBe((1 + 5 + 6) * 10 + 60)
    expect(estimateSeconds(10, 5, 10)).toBeUndefined()
  })
})
