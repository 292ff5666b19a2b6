import { expect, it } from 'vitest'
import { after, asText, partsOf } from './line'

it('sets the message off from its details and shows its quotes as they were meant', () => {
  expect(partsOf('time=2026-11-24T22:45:36.992Z level=WARN msg="say \\"no\\"" target="a b" n=0')).toEqual({
    message: 'say "no"',
    rest: 'target="a b" n=0',
  })
  expect(partsOf('time=2026-11-24T22:45:36.992Z level=INFO msg=settings')).toEqual({ message: 'settings', rest: '' })
})

it('shows what is not in that form as it is', () => {
  for (const line of ['', 'kind   planned  accepted', '{"time":"x","level":"INFO","msg":"m"}', '0 failed, level=ERROR'])
    expect(partsOf(line)).toEqual({ message: line, rest: '' })
})

it('orders times that are written with different precision', () => {
  const ordered = ['2026-11-24T22:45:36Z', '2026-11-24T22:45:36.1Z', '2026-11-24T22:45:36.12Z', '2026-11-24T22:45:37Z']
  for (const [i, a] of ordered.entries())
    for (const [j, b] of ordered.entries()) expect(after(a, b), `${a} after ${b}`).toBe(i > j)
  expect(after(ordered[0]!, ''), 'anything is after nothing').toBe(true)
})

it('copies whole lines with their times', () => {
  expect(asText([{ time: '2026-11-24T22:45:36Z', level: '', text: 'a\tb' }])).toBe('2026-11-24T22:45:36Z a\tb\n')
})
