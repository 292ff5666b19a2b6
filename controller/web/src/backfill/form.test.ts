import { describe, expect, it } from 'vitest'
import { body, formOf, fresh, today } from './form.svelte'

describe('the form of a backfill', () => {
  it('starts with the last seven days', () => {
    expect(body(fresh())).toEqual({ BACKFILL_DAYS_BACK: '7', BACKFILL_DURATION_DAYS: '7' })
  })
  it('sends one kind of window, though the other was written before', () => {
    const form = fresh()
    form.texts.BACKFILL_START_DATE = '2026-01-01'
    form.texts.BACKFILL_END_DATE = '2026-02-01'
    expect(body(form)).not.toHaveProperty('BACKFILL_START_DATE')
    expect(body({ ...form, mode: 'dates' })).toEqual({
      BACKFILL_START_DATE: '2026-01-01',
      BACKFILL_END_DATE: '2026-02-01',
    })
  })
  it('omits empty settings, so that the default applies', () => {
    const form = { ...fresh(), name: '  ' }
    form.texts.BACKFILL_SEED = ' '
    form.texts.BACKFILL_SHARDS = ' 4 '
    expect(body(form)).toMatchObject({ BACKFILL_SHARDS: '4' })
    expect(Object.keys(body(form))).not.toContain('BACKFILL_SEED')
    expect(Object.keys(body(form))).not.toContain('name')
  })
  it('takes over what was sent before, with or without the beginning of the names', () => {
    const sent = { START_DATE: '2026-01-01', BACKFILL_END_DATE: '2026-01-31', SEED: 7, RUN_ONCE: true, name: 'January' }
    const form = formOf(sent)
    expect(form.mode).toBe('dates')
    expect(body(form)).toEqual({
      BACKFILL_START_DATE: '2026-01-01',
      BACKFILL_END_DATE: '2026-01-31',
      BACKFILL_SEED: '7',
      name: 'January',
    })
  })
})

describe('today', () => {
  const newYear = Date.UTC(2026, 0, 1, 3)
  it('is that of the site, not of the browser', () => {
    expect(today('Europe/Berlin', newYear)).toBe('2026-01-01')
    expect(today('America/New_York', newYear)).toBe('2025-12-31')
    expect(today('UTC-3.5', newYear)).toBe('2025-12-31')
  })
  it('is the browser’s day if the time zone is unknown', () => {
    expect(today('No/Where', newYear)).toMatch(/^202[56]-\d\d-\d\d$/)
  })
})
