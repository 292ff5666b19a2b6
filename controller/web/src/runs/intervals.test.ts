import { describe, expect, it } from 'vitest'
import { columns, overlay } from './intervals'

const row = (at: string, seconds: number, accepted: number, p99: number) => ({
  at: `2026-11-24T10:${at}Z`,
  seconds,
  numbers: {
    hits: { planned: 9, accepted, rejected: 1, failed: 1, unknown: 0, shed: 0, abandoned: 3 },
    latency: { p50: p99 / 2, p95: p99, p99 },
  },
})

describe('the intervals of a run', () => {
  it('show rates, and no latency where nothing was answered', () => {
    const c = columns([row('00:40', 20, 100, 0.2), row('01:00', 4, 0, 0)])
    expect(c.accepted).toEqual([5, 0, 0])
    expect(c.errors).toEqual([0.1, 0.5, 0.5])
    expect(c.p99).toEqual([0.2, null, null])
    expect(c.times.map((t) => t % 3600)).toEqual([40, 60, 64])
  })
  it('break where the run was not watched', () => {
    const c = columns([row('00:00', 60, 60, 0.2), row('07:00', 60, 120, 0.2)])
    expect(c.accepted).toEqual([1, null, 2, 2])
    expect(c.p50).toHaveLength(c.times.length)
  })
})

describe('two runs', () => {
  // Both send 10 hits a second; the clock's minutes cut them at other places.
  const a = { started: '2026-11-24T10:05:40Z', rows: [row('05:40', 20, 200, 0.2), row('06:00', 30, 300, 0.2)] }
  const b = { started: '2026-11-24T10:30:10Z', rows: [row('30:10', 50, 500, 0), row('31:00', 10, 200, 0.4)] }
  it('lie over each other from their starts, and equal ones do not cross', () => {
    const o = overlay(a, b)
    expect(o.times).toEqual([0, 20, 50, 60])
    expect(o.accepted).toEqual({ a: [10, 10, 10, null], b: [10, 10, 20, 20] })
    expect(o.p95.b).toEqual([null, null, 0.4, 0.4])
  })
  it('have nothing to show where nothing was measured', () => {
    const none = { started: '2026-11-24T10:00:00Z', rows: [] }
    expect(overlay(none, none).times).toEqual([])
  })
})
