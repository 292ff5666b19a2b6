import { expect, it } from 'vitest'
import { problemsOf } from './problems'

it('tells the line of each problem, errors first, and what to do about it', () => {
  const problems = problemsOf({
    errors: [
      { where: 'urls.txt line 31', value: 'foo', message: 'is no address', cure: 'write https://', severity: 'error' },
      { where: 'urls.txt', message: 'has no pages', severity: 'error' },
    ],
    warnings: [{ where: 'urls.txt line 2', message: 'is a duplicate of line 1', severity: 'warning' }],
  })
  expect(problems).toEqual([
    { severity: 'error', line: 31, message: 'is no address; write https://' },
    { severity: 'error', line: undefined, message: 'has no pages' },
    { severity: 'warning', line: 2, message: 'is a duplicate of line 1' },
  ])
})

it('finds nothing in a report without problems', () => {
  expect(problemsOf({ errors: null, warnings: null })).toEqual([])
})
