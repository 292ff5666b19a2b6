import { describe, expect, it } from 'vitest'
import type { Schemas } from '../api/client'
import { limits } from './limits'

type Stop = Schemas['LiveStop']
const stop = (kind: Stop['kind'], current: number, limit: number): Stop => ({
  kind,
  unit: kind === 'error_brake' ? 'share' : kind === 'hours' || kind === 'profile' ? 's' : 'visits',
  current,
  limit,
  judged: true,
})

describe('limits', () => {
  it('are empty if none is set', () => {
    expect(limits([])).toEqual([])
  })
  it('start with the one used most', () => {
    const [first, second] = limits([stop('hours', 3600, 4 * 3600), stop('visits', 500, 1000)])
    expect(first).toMatchObject({ kind: 'visits', share: 0.5, left: 500 })
    expect(second).toMatchObject({ kind: 'hours', share: 0.25, left: 3 * 3600 })
  })
  it('never exceed 100 %', () => {
    expect(limits([stop('visits', 500, 400)])[0]).toMatchObject({ share: 1, left: 0, current: 400 })
  })
  it('include the current window of the daily cap', () => {
    expect(limits([stop('cap', 120, 1000)])[0]).toMatchObject({ kind: 'cap', share: 0.12, left: 880 })
  })
})
