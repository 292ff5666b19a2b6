import { expect, it } from 'vitest'
import { problemText, toProblems } from './problems'

const known = new Set(['PAGEVIEWS_MIN', 'PAGEVIEWS_MAX', 'CONCURRENCY'])

it('shows a rule between two settings at both of them', () => {
  const problems = toProblems(
    [
      {
        field: 'PAGEVIEWS_MIN',
        message: 'is above PAGEVIEWS_MAX=6; lower it or raise PAGEVIEWS_MAX',
        severity: 'error',
      },
    ],
    known,
  )
  expect(problemText(problems, 'PAGEVIEWS_MIN', 'error')).toBe(
    'Is above PAGEVIEWS_MAX=6; lower it or raise PAGEVIEWS_MAX',
  )
  expect(problemText(problems, 'PAGEVIEWS_MAX', 'error')).toBe(
    'Pages per visit, min is above PAGEVIEWS_MAX=6; lower it or raise PAGEVIEWS_MAX',
  )
  expect(problemText(problems, 'CONCURRENCY', 'error')).toBeUndefined()
  expect(problemText(problems, 'PAGEVIEWS_MAX', 'warning')).toBeUndefined()
})

it('takes a field that names several settings for a problem of each', () => {
  const [p] = toProblems([{ field: 'PAGEVIEWS_MIN, CONCURRENCY', message: 'clash', severity: 'warning' }], known)
  expect(p?.keys).toEqual(['PAGEVIEWS_MIN', 'CONCURRENCY'])
})

it('keeps a problem of no setting of the form, with the name of what it is about', () => {
  const [p] = toProblems([{ field: 'STATE_DIR', message: 'is not set', severity: 'warning' }], known)
  expect(p).toEqual({ key: '', keys: [], message: 'STATE_DIR: is not set', severity: 'warning' })
})
