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

describe('what is left of a run', () => {
  it('is nothing to tell where no limit is set', () => {
    expect(limits([])).toEqual([])
  })
  it('begins with the limit that is nearest', () => {
    const [first, second] = limits([stop('hours', 3600, 4 * 3600), stop('visits', 500, 1000)])
    expect(first).toMatchObject({ kind: 'visits', share: 0.5, left: 500 })
    expect(second).toMatchObject({ kind: 'hours', share: 0.25, left: 3 * 3600 })
  })
  it('never passes the whole', () => {
    expect(limits([stop('visits', 500, 400)])[0]).toMatchObject({ share: 1, left: 0, current: 400 })
  })
  it('tells the window of the cap that goes on, whichever day it is', () => {
    expect(limits([stop('cap', 120, 1000)])[0]).toMatchObject({ kind: 'cap', share: 0.12, left: 880 })
  })
})
