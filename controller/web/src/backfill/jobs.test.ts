import { describe, expect, it } from 'vitest'
import { dayProgress, outcome, visitsSent, share, type Job, type Progress } from './jobs'

const job: Job = {
  run_id: 'r1',
  name: '',
  container_name: 'backfill-r1',
  container_id: null,
  container_state: 'running',
  state: 'running',
  payload: {},
  queued_at: '2026-11-25T00:00:00Z',
  started_at: '2026-11-25T00:00:00Z',
  finished_at: null,
  exit_code: null,
  reason: '',
  error: null,
  restarts: 0,
  resumable: false,
  settled: false,
  progress: null,
}
const day = (date: string, of: Partial<NonNullable<Progress['days']>[number]> = {}) => ({
  date,
  planned: 10,
  sent: 0,
  unknown: 0,
  rejected: 0,
  skipped: '',
  ...of,
})
const progress: Progress = {
  visits_planned: 30,
  visits_sent: 10,
  visits_unknown: 4,
  visits_rejected: 6,
  batches_planned: 8,
  batches_done: 4,
  days: [
    day('2026-01-01', { sent: 10 }),
    day('2026-01-02', { rejected: 1, unknown: 4 }),
    day('2026-01-03'),
    day('2026-01-04', { skipped: 'cap' }),
  ],
  unknown_batches: [],
  estimated_end: null,
  invalidation: null,
}

describe('a job', () => {
  it('has an outcome', () => {
    const ended = { ...job, state: 'exited' as const }
    expect(outcome(job)).toBe('running')
    expect(outcome({ ...ended, exit_code: 0 })).toBe('done')
    expect(outcome({ ...ended, exit_code: 130 })).toBe('cancelled')
    expect(outcome({ ...ended, exit_code: 4, reason: 'backfill_finished' })).toBe('missed')
    expect(outcome({ ...ended, exit_code: 4, reason: 'error_brake' })).toBe('failed')
    expect(outcome({ ...ended, exit_code: 3 })).toBe('failed')
    expect(outcome({ ...ended, exit_code: null })).toBe('failed')
    expect(outcome({ ...ended, exit_code: null, started_at: null })).toBe('cancelled')
  })
  it('has come as far as its visits have an end, whichever', () => {
    expect(share(progress)).toBe(0.5)
    expect(share({ ...progress, visits_planned: 0 })).toBe(0)
    expect(dayProgress(progress)).toEqual([2, 3])
  })
  it('counts unknown visits as sent only if a user has marked them', () => {
    expect(visitsSent(job, progress)).toBe(10)
    expect(visitsSent({ ...job, settled: true }, progress)).toBe(14)
  })
})
