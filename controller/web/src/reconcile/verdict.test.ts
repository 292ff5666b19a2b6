import { expect, test } from 'vitest'
import { share, sorted, told, tones, type Row } from './verdict'

const row = (more: Partial<Row>): Row => ({
  group: 'total',
  name: 'visits',
  sent: 200,
  most: 200,
  recorded: 200,
  off: 0,
  verdict: 'equal',
  ...more,
})

test('a surplus is no better than a loss, and reports that are not made are neither', () => {
  expect([tones.short, tones.more]).toEqual(['bad', 'bad'])
  expect([tones.not_archived, tones.incomparable]).toEqual(['warn', undefined])
})

test('what cannot be compared has no bar, and a surplus more than a full one', () => {
  expect(share(row({ verdict: 'incomparable', recorded: 1721581 }))).toBe(0)
  expect(share(row({ verdict: 'more', recorded: 3200 }))).toBe(16)
  expect(share(row({ verdict: 'more', sent: 0, recorded: 5 }))).toBeGreaterThan(1)
})

test('how much is missing is told with its share', () => {
  expect(told(row({ verdict: 'short', off: -1, recorded: 199 }))).toBe('short by 1 (0.5 %)')
  expect(told(row({ verdict: 'more', off: 12.5 }))).toBe('over by 12.50')
  expect(told(row({ verdict: 'more', off: 1_645_193 }))).toBe('over by 1,645,193')
  expect(told(row({ verdict: 'not_archived', off: -200 }))).toBe('not archived')
})

test('what is broken down and equal is folded away', () => {
  const { shown, folded } = sorted([
    row({}),
    row({ group: 'country', name: 'se' }),
    row({ group: 'country', name: 'de', verdict: 'not_archived', off: -1 }),
    row({ group: 'day', verdict: 'short', off: -1 }),
  ])
  expect(shown.map((r) => r.group)).toEqual(['total', 'day'])
  expect(folded).toHaveLength(2)
})
