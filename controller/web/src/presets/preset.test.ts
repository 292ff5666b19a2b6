import { expect, it } from 'vitest'
import type { Schemas } from '../api/client'
import { setting } from '../configuration/setting.fixture'
import { differences, freeName, presetValues, presetTargets, builtInPresets } from './preset'

const settings = [
  setting({ key: 'MATOMO_URL' }),
  setting({ key: 'MATOMO_TOKEN_AUTH', secret: true }),
  setting({ key: 'CONCURRENCY', kind: 'whole number' }),
  setting({ key: 'ECOMMERCE_SHIPPING_RATES', kind: 'list of numbers' }),
]
const config = { MATOMO_URL: 'http://a', MATOMO_TOKEN_AUTH: '***', CONCURRENCY: 50, ECOMMERCE_SHIPPING_RATES: [0, 5] }

it('compares only what a preset names, and never the target', () => {
  const p = { id: '1', name: 'a', description: '', values: { CONCURRENCY: 10, MATOMO_URL: 'http://b' } }
  expect(differences(p, config, settings)).toEqual([{ setting: settings[2], now: '50', then: '10' }])
  expect(differences({ ...p, values: { ECOMMERCE_SHIPPING_RATES: [0, 5] } }, config, settings)).toEqual([])
})

it('makes a preset of a configuration without address and token', () => {
  expect(presetValues(config, settings)).toEqual({ CONCURRENCY: 50, ECOMMERCE_SHIPPING_RATES: [0, 5] })
})

it('shows the built-in ones by their load, unknown ones last', () => {
  const list = ['mine', 'extreme', 'heavy', 'light', 'medium'].map((name) => ({ name, description: '', config: {} }))
  expect(builtInPresets(list).map((p) => p.id)).toEqual(['light', 'medium', 'heavy', 'extreme', 'mine'])
})

it('finds a name that is free and fits, whatever the case', () => {
  expect(freeName('A', ['b'])).toBe('A')
  expect(freeName('A', ['a', 'A 2'])).toBe('A 3')
  const long = '🐢'.repeat(120)
  expect([...freeName(long, [])]).toHaveLength(100)
  expect([...freeName(long, ['🐢'.repeat(100)])]).toHaveLength(100)
})

it('takes targets along without their secrets', () => {
  const target = {
    name: 'a',
    url: 'https://a.test/matomo.php',
    site_id: 1,
    weight: 2,
    enabled: true,
    token_auth: 'masked',
  }
  const all = { mode: 'multi', distribution_strategy: 'weighted', targets: [target] }
  const got = presetTargets(all as unknown as Schemas['TargetsResponse'])
  expect(got).toMatchObject({ mode: 'multi', distribution_strategy: 'weighted', targets: [{ name: 'a', weight: 2 }] })
  expect(JSON.stringify(got)).not.toContain('token')
})
