import { describe, expect, it } from 'vitest'
import type { Sample, Status } from '../api/live.svelte'
import type { Job } from '../backfill/jobs'
import { stateView } from './state'

const status = (state: string, phase: string, ended: string | null = null) =>
  ({
    container: { state, reason: '' },
    phase,
    run: { id: 'r', ended, reason: '' },
    operation: null,
  }) as unknown as Status

const sample = (healths: string[], held: boolean[] = [], run = 'r') =>
  ({
    run_id: run,
    targets: healths.map((health) => ({ health })),
    thresholds: held.map((h) => ({ held: h })),
  }) as unknown as Sample

const job = (state: string) =>
  ({
    state,
    progress: { visits_planned: 100, days: [{ sent: 43, unknown: 0, rejected: 0, planned: 100 }] },
  }) as unknown as Job

const running = status('running', 'running')
const stopped = status('stopped', '', '2026-11-24T10:00:00Z')

describe('the state of the generator', () => {
  it('is good while all is well', () => {
    const c = stateView({ status: running, sample: sample(['healthy'], [true]) })
    expect([c.word, c.notes, c.tone]).toEqual(['Running', [], 'good'])
  })
  it('explains why new visits pause', () => {
    const paused = { ...status('running', 'paused'), pause_reason: 'state_full' } as Status
    const c = stateView({ status: paused })
    expect([c.word, c.tone]).toEqual(['Paused, state not writable', 'bad'])
    expect(c.meaning).toContain('data/state')
    expect(stateView({ status: { ...paused, pause_reason: 'daily_cap' } as Status }).meaning).toContain('daily cap')
  })
  it('includes the controller’s reason', () => {
    const reason = 'it was made from an older image'
    const explained = (state: string, phase: string) =>
      stateView({ status: { ...running, container: { state, reason }, phase } as Status }).meaning
    expect(explained('running', 'running')).toBe('Visits are being sent. Container: it was made from an older image.')
    expect(explained('created', '')).toBe(reason)
  })
  it('is as bad as its worst part', () => {
    const c = stateView({ status: running, sample: sample(['healthy', 'failed', 'healthy'], [true, false]) })
    expect([c.word, c.tone]).toEqual(['Running', 'bad'])
    expect(c.notes).toEqual(['1 of 3 targets failing', '1 threshold failed'])
    expect(stateView({ status: running, sample: sample(['degraded']) }).tone).toBe('warn')
  })
  it('is not judged by the numbers of another run', () => {
    expect(stateView({ status: running, sample: sample(['failed'], [], 'before') }).tone).toBe('good')
    expect(stateView({ status: stopped, sample: sample(['failed']) }).notes).toEqual([])
  })
  it('reports a backfill, with or without a live run', () => {
    const view = stateView({ status: stopped, jobs: [job('running')] })
    expect([view.word, view.tone]).toEqual(['Backfilling 43 %', 'good'])
    expect(view.meaning).not.toContain('Nothing')
    expect(stateView({ status: running, jobs: [job('running')] }).notes).toEqual(['backfill 43 %'])
    expect(stateView({ status: stopped, jobs: [job('exited'), job('queued')] }).word).toBe('Stopped')
  })
  it('is the last one known while the controller is away', () => {
    const c = stateView({ status: running, sample: sample(['failed']), lost: true })
    expect([c.word, c.tone]).toEqual(['Last known: Running', 'note'])
  })
})
