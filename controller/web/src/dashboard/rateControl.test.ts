import { describe, expect, it } from 'vitest'
import type { Point } from '../api/live.svelte'
import { measuredRate, percentOf, scaleOf } from './rateControl'

const point = (at: number, visit_rate: number) => ({ at, visit_rate }) as Point

describe('the rate after a change', () => {
  it('is that of the last seconds, not of before', () => {
    const points = [...Array(60).keys()].map((at) => point(at, at < 50 ? 2 : 8))
    expect(measuredRate(points)).toBe(8)
  })
  it('weighs what was measured by the time it took', () => {
    expect(measuredRate([point(0, 9), point(1, 1), point(4, 5)])).toBe(4)
  })
  it('is not known where nothing was measured', () => {
    expect(measuredRate([])).toBeNaN()
    expect(measuredRate([point(5, 1)])).toBeNaN()
  })
})

describe('a percentage', () => {
  it('is read as people write it, within the bounds', () => {
    expect([scaleOf('150'), scaleOf(' 12,5 % '), scaleOf('1')]).toEqual([1.5, 0.125, 0.01])
    expect([scaleOf(''), scaleOf('0'), scaleOf('10001'), scaleOf('fast')]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ])
    expect(percentOf(0.07)).toBe('7')
  })
})
