import { expect, it } from 'vitest'
import { shareOf } from './errorBrake'

it('takes a share above 0, at most 1', () => {
  expect([
    shareOf('0.5'),
    shareOf(1),
    shareOf(0),
    shareOf(''),
    shareOf(undefined),
    shareOf('1.5'),
    shareOf('x'),
  ]).toEqual([0.5, 1, ...Array(5).fill(undefined)])
})
