import { expect, test } from 'vitest'
import { outcome, sorted, told, type Row, type Target } from './verdict'

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
const target = (rows: Row[], error?: string): Target => ({ name: 'a', site_id: 1, slice: 'site', rows, error })

test('one short row makes a loss, whatever else is equal', () => {
  expect(outcome(target([row({}), row({ verdict: 'more', off: 1 }), row({ verdict: 'short', off: -1 })]))).toBe('lost')
  expect(outcome(target([row({}), row({ verdict: 'more', off: 1 })]))).toBe('more')
  expect(outcome(target([row({}), row({ verdict: 'incomparable' })]))).toBe('good')
})

test('a target that did not answer proves nothing', () => {
  expect(outcome(target([], 'refused'))).toBe('failed')
})

test('how much is missing is told with its share', () => {
  expect(told(row({ verdict: 'short', off: -1, recorded: 199 }))).toBe('short by 1 (0.5 %)')
  expect(told(row({ verdict: 'more', off: 12.5 }))).toBe('more by 12.50')
})

test('what is broken down and equal is folded away', () => {
  const { shown, folded } = sorted([
    row({}),
    row({ group: 'country', name: 'se' }),
    row({ group: 'day', verdict: 'short', off: -1 }),
  ])
  expect(shown.map((r) => r.group)).toEqual(['total', 'day'])
  expect(folded).toHaveLength(1)
})
