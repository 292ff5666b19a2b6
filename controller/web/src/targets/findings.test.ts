import { expect, it } from 'vitest'
import { grouped } from './findings'

const f = (check: string, verdict: string) => ({ check, verdict, message: '' })

it('puts errors first and separates unchecked from passed', () => {
  const g = grouped([f('tracker', 'ok'), f('clock', 'warning'), f('queue', 'cannot_tell'), f('agents', 'error')])
  expect(g.problems.map((x) => x.check)).toEqual(['agents', 'clock'])
  expect(g.passed.map((x) => x.check)).toEqual(['tracker'])
  expect(g.unchecked.map((x) => x.check)).toEqual(['queue'])
})
