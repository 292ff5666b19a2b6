import { expect, it } from 'vitest'
import type { Schemas } from '../api/client'
import { details, figures } from './figures'
import type { Hits, Ledger } from './ledger'

const hits: Hits = { planned: 110, accepted: 90, rejected: 4, failed: 3, unknown: 2, shed: 1, abandoned: 0 }
const ledger: Ledger = {
  ...{ hits, byKind: {}, byTarget: {}, visits: { planned: 50, unsent: 5 }, due: 90, revenue: 12.5 },
  ...{ thresholds: [], reasons: [], warnings: [] },
}
const of = (l: Ledger) => Object.fromEntries(figures(l).map(([name, ...rest]) => [name, rest]))

it('shows started visits of those due, and accepted hits of those with an outcome', () => {
  expect(of(ledger)).toMatchObject({
    Visits: ['50'],
    'Achieved rate': ['50 %', '45 of 90 visits due'],
    'Hits accepted': ['90', 'of 110 planned'],
    'Accepted share': ['90 %', '90 of 100 finished hits'],
    Errors: ['10 %', '10 of 100 hits'],
  })
})

it('has no latency while a run is in progress', () => {
  expect(of(ledger)['Latency p95']).toEqual(['–', 'available when the run ends'])
  const latency = { p50: 0.01, p95: 0.02, p99: 0.03 } as Ledger['latency']
  expect(of({ ...ledger, latency })['Latency p95']?.[0]).toBe('20 ms')
})

it('omits a missing exit code', () => {
  const run = { kind: 'live', started: '2026-11-24T10:00:00Z', ended: null, seed: 7, plan_hash: '', exit_code: null }
  const names = (exit_code: number | null) =>
    details({ ...run, exit_code } as Schemas['HistoryRecord'], Date.parse('2026-11-24T10:01:00Z')).map(([name]) => name)
  expect(names(null)).not.toContain('Exit code')
  expect(names(0)).toContain('Exit code')
})
