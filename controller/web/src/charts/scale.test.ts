import { describe, expect, it } from 'vitest'
import { nearest, path, ticks } from './scale'

describe('an axis', () => {
  it('has round values and room for the greatest', () => {
    expect(ticks(20_000, 4)).toEqual([0, 5000, 10_000, 15_000, 20_000])
    expect(ticks(0.7, 4)).toEqual([0, 0.2, 0.4, 0.6, 0.8])
    expect(ticks(333, 4)).toEqual([0, 100, 200, 300, 400])
  })
  it('is there where nothing is to be seen', () => {
    expect(ticks(0, 4)).toEqual([0, 1])
  })
})

describe('a line', () => {
  it('breaks where a value is missing', () => {
    expect(path([0, 1, 2, 3], [1, 2, null, 4])).toBe('M0.0 1.0L1.0 2.0M3.0 4.0')
  })
  it('is pointed at by its nearest place', () => {
    expect(nearest([0, 10, 40], 24)).toBe(1)
    expect(nearest([], 1)).toBe(-1)
  })
})
