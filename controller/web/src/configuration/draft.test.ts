import { expect, it } from 'vitest'
import { Draft, type Saved } from './draft.svelte'
import { setting } from './setting.fixture'
import { mask } from './values'

const settings = [
  setting({ key: 'MATOMO_URL' }),
  setting({ key: 'MATOMO_TOKEN_AUTH', secret: true }),
  setting({ key: 'CONCURRENCY', kind: 'whole number', default: '50' }),
  setting({ key: 'TIMEZONE', default: 'CET' }),
  setting({ key: 'RANDOMIZE_VISITOR_COUNTRIES', kind: 'yes or no', default: 'true' }),
]
const draft = (config: Record<string, unknown>) => new Draft(settings, { revision: 3, config } as unknown as Saved)
const saved = {
  MATOMO_URL: 'http://a/matomo.php',
  MATOMO_TOKEN_AUTH: mask,
  CONCURRENCY: 80,
  TIMEZONE: 'UTC',
  RANDOMIZE_VISITOR_COUNTRIES: true,
}

it('keeps the token when something else is saved, and sends it only where it was edited', () => {
  const d = draft(saved)
  d.write('CONCURRENCY', '90')
  expect(d.payload).toEqual({ MATOMO_URL: 'http://a/matomo.php', CONCURRENCY: '90', TIMEZONE: 'UTC' })
  d.write('MATOMO_TOKEN_AUTH', '')
  expect(d.payload.MATOMO_TOKEN_AUTH).toBe('')
  d.undo('MATOMO_TOKEN_AUTH')
  expect('MATOMO_TOKEN_AUTH' in d.payload).toBe(false)
})

it('leaves UTC as it was saved', () => {
  expect(draft(saved).payload.TIMEZONE).toBe('UTC')
})

it('switches countries off', () => {
  const d = draft(saved)
  d.write('RANDOMIZE_VISITOR_COUNTRIES', 'false')
  expect(d.payload.RANDOMIZE_VISITOR_COUNTRIES).toBe('false')
})

it('takes an emptied number for its default, never for 0', () => {
  const d = draft(saved)
  d.write('CONCURRENCY', '')
  expect('CONCURRENCY' in d.payload).toBe(false)
  expect(d.preset().CONCURRENCY).toBe('50')
  expect(d.changed.map((s) => s.key)).toEqual(['CONCURRENCY'])
})

it('uses the defaults of the bulk mode', () => {
  const settings = [
    setting({ key: 'SEND_MODE', default: 'single' }),
    setting({ key: 'CONCURRENCY', kind: 'whole number', default: '50', default_in_bulk: '8' }),
  ]
  const base = { revision: 3, config: { SEND_MODE: 'single', CONCURRENCY: 50 }, set: [] } as unknown as Saved
  const d = new Draft(settings, base)
  d.write('SEND_MODE', 'bulk')
  expect([d.text('CONCURRENCY'), d.settings[1]?.default]).toEqual(['8', '8'])
  expect(d.payload).toEqual({ SEND_MODE: 'bulk' })
  d.write('CONCURRENCY', '50')
  expect(d.payload).toEqual({ SEND_MODE: 'bulk', CONCURRENCY: '50' })
  d.toDefaults()
  expect(d.payload).toEqual({})
})

it('counts what was typed and taken back as no change', () => {
  const d = draft(saved)
  d.write('CONCURRENCY', '9')
  d.write('CONCURRENCY', '80')
  expect(d.changed).toEqual([])
})

it('resets to defaults without losing the target', () => {
  const d = draft(saved)
  d.toDefaults()
  expect(d.payload).toEqual({ MATOMO_URL: 'http://a/matomo.php' })
  expect(d.changed.map((s) => s.key)).toEqual(['CONCURRENCY', 'TIMEZONE'])
})

it('keeps edits if someone else has saved other values, and shows theirs elsewhere', () => {
  const d = draft(saved)
  d.write('CONCURRENCY', '90')
  d.base = { ...d.base, revision: 4, config: { ...saved, TIMEZONE: 'Asia/Tokyo', CONCURRENCY: 70 } }
  expect(d.text('CONCURRENCY')).toBe('90')
  expect(d.text('TIMEZONE')).toBe('Asia/Tokyo')
})

it('puts neither address nor token into a preset', () => {
  expect(Object.keys(draft(saved).preset())).toEqual(['CONCURRENCY', 'TIMEZONE', 'RANDOMIZE_VISITOR_COUNTRIES'])
})
