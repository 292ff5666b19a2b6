import { expect, it } from 'vitest'
import { grouped } from './findings'

const f = (check: string, verdict: string) => ({ check, verdict, message: '' })

it('puts what loses hits first and mixes nothing that could not be told with what is fine', () => {
  const g = grouped([f('tracker', 'ok'), f('clock', 'warning'), f('queue', 'cannot_tell'), f('agents', 'error')])
  expect(g.wrong.map((x) => x.check)).toEqual(['agents', 'clock'])
  expect(g.fine.map((x) => x.check)).toEqual(['tracker'])
  expect(g.untold.map((x) => x.check)).toEqual(['queue'])
})
