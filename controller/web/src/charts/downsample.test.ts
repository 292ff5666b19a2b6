import { describe, expect, it } from 'vitest'
import type { Point } from '../api/live.svelte'
import { downsample, stepFor } from './downsample'

const none = { planned: 0, accepted: 0, rejected: 0, failed: 0, unknown: 0, shed: 0, abandoned: 0 }

/** A second at `at` in which `accepted` hits and as many visits were sent and one failed. */
function second(at: number, accepted: number, p99 = 0): Point {
  return {
    at,
    time: new Date(at * 1000).toISOString(),
    hit_rate: accepted,
    visit_rate: accepted,
    delta: { ...none, planned: accepted, accepted, failed: 1 },
    latency: { p50: p99 / 3, p95: p99 / 2, p99 },
    open_visits: 0,
    scale: 1,
  }
}

describe('columns of a chart', () => {
  it('show each second as it is where there is room', () => {
    const c = downsample([second(100, 4, 0.3), second(101, 6)], 90, 110)
    expect(c.step).toBe(1)
    expect(c.times).toEqual([100, 101])
    expect(c.accepted).toEqual([4, 6])
    expect(c.failed).toEqual([1, 1])
    expect(c.p99).toEqual([0.3, null])
  })
  it('keep what was counted when seconds are put together, and the highest percentile', () => {
    const points = Array.from({ length: 7200 }, (_, i) => second(i, i % 2 ? 30 : 10, i % 100 === 7 ? 2 : 0.1))
    const c = downsample(points, 0, 7200)
    expect(c.times.length).toBeLessThanOrEqual(601)
    expect(c.step).toBe(12)
    for (const a of c.accepted) expect(a).toBeCloseTo(20)
    for (const f of c.failed) expect(f).toBeCloseTo(1)
    expect(Math.max(...c.p99.map(Number))).toBe(2)
  })
  it('show what the rate was multiplied by at each moment', () => {
    const scaled = (at: number, scale: number) => ({ ...second(at, 4), scale })
    expect(downsample([scaled(100, 1), scaled(101, 2), scaled(102, 0)], 90, 110).scale).toEqual([1, 2, 0])
  })
  it('break the line where nothing was measured', () => {
    const c = downsample([second(100, 1), second(101, 1), second(160, 1)], 90, 170)
    expect(c.times).toEqual([100, 101, 102, 160])
    expect(c.accepted).toEqual([1, 1, null, 1])
  })
  it('do not spread a lone second over the time before it', () => {
    const quiet = { ...second(160, 0), delta: { ...none, failed: 3 } }
    expect(downsample([second(100, 1), quiet], 90, 170).failed.at(-1)).toBe(3)
  })
  it('contain only the requested range', () => {
    expect(downsample([second(1, 1), second(5, 2), second(9, 3)], 4, 6).accepted).toEqual([2])
    expect(downsample([], 0, 100).times).toEqual([])
  })
  it('are as fine as the room allows', () => {
    expect(stepFor(300, 600)).toBe(1)
    expect(stepFor(3600, 600)).toBe(6)
    expect(stepFor(1e9, 600)).toBe(60)
  })
})
