import { describe, expect, it } from 'vitest'
import { limits } from './limits'

const none = { elapsed: 3600, visits: 500, hours: 0, total: 0, perDay: 0 }

describe('what is left of a run', () => {
  it('is nothing to tell where no limit is set', () => {
    expect(limits(none)).toEqual([])
  })
  it('begins with the limit that is nearest', () => {
    const [first, second] = limits({ ...none, hours: 4, total: 1000 })
    expect(first).toMatchObject({ kind: 'visits', share: 0.5, left: 500 })
    expect(second).toMatchObject({ kind: 'time', share: 0.25, left: 3 * 3600 })
  })
  it('never passes the whole', () => {
    expect(limits({ ...none, total: 400 })[0]).toMatchObject({ share: 1, left: 0, used: 400 })
  })
  it('does not guess which part of a later day’s cap is used', () => {
    expect(limits({ ...none, perDay: 1000 })[0]).toMatchObject({ kind: 'cap', share: 0.5 })
    expect(limits({ ...none, perDay: 1000, elapsed: 90_000 })).toEqual([{ kind: 'cap', all: 1000 }])
  })
  it('says nothing of visits that nobody counted', () => {
    expect(limits({ ...none, visits: undefined, total: 10, perDay: 10 })).toEqual([{ kind: 'cap', all: 10 }])
  })
})
