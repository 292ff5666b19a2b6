import { describe, expect, it } from 'vitest'
import type { Schemas } from '../api/client'
import type { Status } from '../api/live.svelte'
import { nonDefaults, numberOf } from './nonDefaults'
import {
  achieved,
  acceptedShare,
  deletable,
  errorShare,
  summaryLedger,
  parseLabels,
  durationOf,
  open,
  passed,
  toneOf,
  previousRun,
} from './ledger'

const hits = { planned: 110, accepted: 90, rejected: 2, failed: 3, unknown: 4, shed: 1, abandoned: 6 }

describe('a ledger', () => {
  it('counts what is open, and no abandoned hit as an error', () => {
    expect(open(hits)).toBe(4)
    expect(errorShare(hits)).toBeCloseTo(0.1)
    expect(acceptedShare(hits)).toBeCloseTo(90 / 106)
  })
  it('has no shares if nothing was sent', () => {
    const none = { planned: 5, accepted: 0, rejected: 0, failed: 0, unknown: 0, shed: 0, abandoned: 0 }
    expect(errorShare(none)).toBeNaN()
    expect(acceptedShare(none)).toBeNaN()
  })
  it('is undefined without a summary', () => {
    expect(summaryLedger(undefined)).toBeUndefined()
    expect(summaryLedger({ run_id: 'a' })).toBeUndefined()
    expect(summaryLedger({ hits })?.hits.accepted).toBe(90)
  })
  it('has the reasons why hits were not accepted', () => {
    const reason = { target: 'matomo', class: 'in_front', status: 403, hits: 12, first_words: 'Blocked' }
    expect(summaryLedger({ hits, reasons: [reason] })?.reasons).toEqual([reason])
    expect(summaryLedger({ hits })?.warnings).toEqual([])
  })
  it('compares started visits with those due', () => {
    expect(achieved(summaryLedger({ hits, visits: { planned: 50, unsent: 1 }, visits_due: 49 })!)).toBe(1)
    expect(achieved(summaryLedger({ hits })!)).toBeNaN()
  })
})

describe('a run', () => {
  it('has a bad end if a fault ended it', () => {
    const ended = '2026-11-24T10:00:00Z'
    expect(toneOf({ ended, reason: 'stop_after_visits' })).toBe('note')
    expect(toneOf({ ended, reason: 'error_brake' })).toBe('bad')
  })
  it('has passed only with thresholds of its own', () => {
    const built = { expression: 'error_share<50%', metric: 'error_share', value: 0.1, held: true, built_in: true }
    const ended = '2026-11-24T10:00:00Z'
    expect(passed({ ended, exit_code: 0 }, [built])).toBeUndefined()
    expect(passed({ ended, exit_code: 4 }, [{ ...built, held: false }])).toBe(false)
    expect(passed({ ended, exit_code: 130 }, [{ ...built, held: false }])).toBe(false)
    expect(passed({ ended, exit_code: 130 }, [{ ...built, held: false, pending: true }])).toBeUndefined()
    expect(passed({ ended, exit_code: 0 }, [{ ...built, built_in: undefined }])).toBe(true)
  })
  it('has a previous run: the latest with its plan', () => {
    const run = (id: string, plan_hash: string, day: number) => ({ id, plan_hash, started: `2026-11-${day}T10:00:00Z` })
    const all = [run('a', 'p', 10), run('b', 'p', 11), run('c', 'q', 12), run('d', 'p', 13), run('e', 'p', 14)]
    expect(previousRun(all[3]!, all)?.id).toBe('b')
    expect(previousRun(all[2]!, all)).toBeUndefined()
    expect(previousRun({ ...all[3]!, plan_hash: '' }, [run('f', '', 10)])).toBeUndefined()
  })
  it('has each label once', () => {
    expect(parseLabels(' baseline, php 8.4,,baseline ')).toEqual(['baseline', 'php 8.4'])
  })
  it('lasts until its end, or until now', () => {
    const started = '2026-11-24T10:00:00Z'
    expect(durationOf({ started, ended: '2026-11-24T09:01:30Z', duration_seconds: 90 }, 0)).toBe(90)
    expect(durationOf({ started, ended: null, duration_seconds: null }, Date.parse('2026-11-24T10:00:05Z'))).toBe(5)
  })
})

const field = (key: string, kind: Schemas['SettingField']['kind'], standard: string, secret = false) =>
  ({
    key,
    kind,
    default: standard,
    secret,
    unit: '',
    group: '',
    help: '',
    min: '',
    max: '',
    one_of: null,
  }) as Schemas['SettingField']

describe('the configuration of a run', () => {
  const fields = [
    field('RATE', 'number', '0.10'),
    field('ZONE', 'text', 'CET'),
    field('TOKEN', 'text', '', true),
    field('RUN_SEED', 'whole number', ''),
  ]
  it('is shown as differences from the defaults', () => {
    const config = { RATE: '0.1', ZONE: 'UTC', TOKEN: '***MASKED***', RUN_SEED: '7' }
    expect(nonDefaults(fields, config).map((d) => d.key)).toEqual(['ZONE', 'TOKEN'])
    expect(nonDefaults(fields, { RATE: '', ZONE: null })).toEqual([])
  })
  it('falls back to the default of a number', () => {
    expect(numberOf(fields, { RATE: '2' }, 'RATE')).toBe(2)
    expect(numberOf(fields, { RATE: '' }, 'RATE')).toBe(0.1)
    expect(numberOf(fields, {}, 'ZONE')).toBeNaN()
  })
  it('uses the bulk defaults in bulk mode', () => {
    const concurrency = [{ ...field('CONCURRENCY', 'whole number', '50'), default_in_bulk: '8' }]
    expect(numberOf(concurrency, { SEND_MODE: 'bulk', CONCURRENCY: '' }, 'CONCURRENCY')).toBe(8)
    expect(nonDefaults(concurrency, { SEND_MODE: 'bulk', CONCURRENCY: 8 })).toEqual([])
    expect(nonDefaults(concurrency, { SEND_MODE: 'bulk', CONCURRENCY: 50 })).toHaveLength(1)
  })
})

describe('a run that can be deleted', () => {
  const now = (id: string, ended: string | null) => ({ run: { id, ended } }) as unknown as Status
  it('has ended, or is not the current one', () => {
    const open = { id: 'a', kind: 'live', ended: null }
    expect(deletable({ ...open, ended: '2026-01-01T00:00:00Z' })).toBe(true)
    expect(deletable(open)).toBe(false)
    expect(deletable(open, now('a', null))).toBe(false)
    expect(deletable(open, now('b', null))).toBe(true)
    expect(deletable({ ...open, kind: 'backfill' }, now('b', null))).toBe(false)
  })
})
