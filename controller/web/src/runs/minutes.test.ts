import { describe, expect, it } from 'vitest'
import { columns, overlay } from './minutes'

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

describe('two runs', () => {
  it('lie over each other from their starts, whenever those were', () => {
    const o = overlay(
      { started: '2026-11-24T10:05:40Z', rows: [row('05', 5, 0.2), row('06', 6, 0.2), row('08', 8, 0.2)] },
      { started: '2026-11-24T10:30:01Z', rows: [row('30', 50, 0), row('31', 60, 0.4)] },
    )
    expect(o.times).toEqual([0, 60, 120, 180])
    expect(o.accepted).toEqual({ a: [5, 6, null, 8], b: [50, 60, null, null] })
    expect(o.p95.b).toEqual([null, 0.4, null, null])
  })
  it('have nothing to show where nothing was measured', () => {
    const none = { started: '2026-11-24T10:00:00Z', rows: [] }
    expect(overlay(none, none).times).toEqual([])
  })
})
