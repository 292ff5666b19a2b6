import { describe, expect, it } from 'vitest'
import { setting } from './setting.fixture'
import { isEqual, search, toText } from './values'

describe('values', () => {
  it('shows a list as a person writes it, and nothing for what is not set', () => {
    expect(toText([0, 5.99])).toBe('0, 5.99')
    expect(toText(null)).toBe('')
    expect(toText(false)).toBe('false')
  })
  it('takes another way of writing a number for no change', () => {
    const share = setting({ kind: 'number', default: '0.10' })
    expect(isEqual(share, '0.1', '0.10')).toBe(true)
    expect(isEqual(share, '', '0.1')).toBe(true)
    expect(isEqual(share, '0', '0.1')).toBe(false)
    expect(isEqual(share, 'x', '0.1')).toBe(false)
    expect(isEqual(setting({ kind: 'list of numbers' }), '0, 5.990', '0,5.99')).toBe(true)
  })
  it('does not take a text for a number: site names like 1 and 1.0 differ', () => {
    expect(isEqual(setting({}), '1', '1.0')).toBe(false)
  })
  it('finds settings by name, env key with or without underscores, and help', () => {
    const all = [
      setting({ key: 'TAX_RATE', help: 'Tax as a fraction' }),
      setting({ key: 'TARGET_VISITS_PER_DAY', help: 'Arrival rate' }),
    ]
    const found = (q: string) => search(all, q).map((s) => s.key)
    expect(found('visits per day')).toEqual(['TARGET_VISITS_PER_DAY'])
    expect(found('VISITS_PER')).toEqual(['TARGET_VISITS_PER_DAY'])
    expect(found('rate arrival')).toEqual(['TARGET_VISITS_PER_DAY'])
    expect(found('')).toHaveLength(2)
    expect(found('nothing of it')).toHaveLength(0)
  })
})
