import { describe, expect, it } from 'vitest'
import { columns } from './minutes'

const row = (at: string, accepted: number, p99: number) => ({
  at: `2026-11-24T10:${at}:00Z`,
  numbers: {
    hits: { planned: 9, accepted, rejected: 1, failed: 1, unknown: 0, shed: 0, abandoned: 3 },
    latency: { p50: p99 / 2, p95: p99, p99 },
  },
})

describe('the minutes of a run', () => {
  it('show what was accepted and what was not, and no latency where nothing was answered', () => {
    const c = columns([row('00', 5, 0.2), row('01', 0, 0)])
    expect(c.accepted).toEqual([5, 0])
    expect(c.errors).toEqual([2, 2])
    expect(c.p99).toEqual([0.2, null])
    expect(c.times.map((t) => t % 3600)).toEqual([0, 60])
  })
  it('break where the run was not watched', () => {
    const c = columns([row('00', 5, 0.2), row('07', 6, 0.2)])
    expect(c.accepted).toEqual([5, null, 6])
    expect(c.p50).toHaveLength(c.times.length)
  })
})
