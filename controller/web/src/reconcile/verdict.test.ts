import { expect, test } from 'vitest'
import { recordedShare, splitRows, verdictText, toneOf, type Row } from './verdict'

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

test('an excess is as bad as a loss; missing archives are a warning', () => {
  expect([toneOf('short'), toneOf('more')]).toEqual(['bad', 'bad'])
  expect([toneOf('not_archived'), toneOf('incomparable')]).toEqual(['warn', undefined])
})

test('an incomparable row has no bar, an excess more than a full one', () => {
  expect(recordedShare(row({ verdict: 'incomparable', recorded: 1721581 }))).toBe(0)
  expect(recordedShare(row({ verdict: 'more', recorded: 3200 }))).toBe(16)
  expect(recordedShare(row({ verdict: 'more', sent: 0, recorded: 5 }))).toBeGreaterThan(1)
})

test('a mismatch is shown with its size', () => {
  expect(verdictText(row({ verdict: 'short', off: -1, recorded: 199 }))).toBe('short by 1 (0.5 %)')
  expect(verdictText(row({ verdict: 'more', off: 12.5 }))).toBe('over by 12.50')
  expect(verdictText(row({ verdict: 'more', off: 1_645_193 }))).toBe('over by 1,645,193')
  expect(verdictText(row({ verdict: 'not_archived', off: -200 }))).toBe('not archived')
})

test('equal rows of a breakdown are collapsed', () => {
  const { shown, collapsed } = splitRows([
    row({}),
    row({ group: 'country', name: 'se' }),
    row({ group: 'country', name: 'de', verdict: 'not_archived', off: -1 }),
    row({ group: 'day', verdict: 'short', off: -1 }),
  ])
  expect(shown.map((r) => r.group)).toEqual(['total', 'day'])
  expect(collapsed).toHaveLength(2)
})
