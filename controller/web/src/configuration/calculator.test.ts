import { describe, expect, it } from 'vitest'
import { estimate, inputs, type Inputs } from './calculator'

const light: Inputs = {
  visitsPerDay: 86_400,
  concurrency: 10,
  bulk: false,
  bulkSize: 100,
  bulkDelay: 1,
  live: false,
  pages: [2, 4],
  bounce: 0,
  pause: [1, 3],
  duration: [1, 3],
  features: [0.5, 0.5],
  stopAfterHours: 0,
  stopAfterVisits: 0,
  visitsPer24Hours: 0,
}

describe('calculator', () => {
  it('counts pages, features and the ping of a visit', () => {
    const e = estimate(light, 0.2)
    expect(e).toMatchObject({ visitsPerSecond: 1, hitsPerVisit: 5, hitsPerSecond: 5 })
    // A bounce is its one page alone.
    expect(estimate({ ...light, bounce: 1 }, 0.2)?.hitsPerVisit).toBe(1)
  })
  it('holds compressed visits open for their pauses and live ones for their duration', () => {
    expect(estimate(light, 0.2)?.openVisits).toBe(4)
    expect(estimate({ ...light, live: true }, 0.2)?.openVisits).toBe(120)
  })
  it('tells when CONCURRENCY is enough, tight or short at an answer time', () => {
    expect(estimate(light, 0.2)).toMatchObject({ inFlight: 1, capacity: 'enough', mostPerSecond: 50 })
    expect(estimate(light, 1.8)?.capacity).toBe('tight')
    expect(estimate(light, 3)?.capacity).toBe('short')
    expect(estimate({ ...light, bulk: true }, 3)).toMatchObject({ inFlight: 3, capacity: 'enough' })
  })
  it('tells which limit ends the run first, and that none does', () => {
    expect(estimate(light, 0.2)?.end).toBeUndefined()
    const both = { ...light, stopAfterHours: 2, stopAfterVisits: 600 }
    expect(estimate(both, 0.2)?.end).toEqual({ seconds: 600, by: 'STOP_AFTER_VISITS' })
    expect(estimate({ ...both, stopAfterVisits: 1e6 }, 0.2)?.end).toEqual({
      seconds: 7200,
      by: 'AUTO_STOP_AFTER_HOURS',
    })
  })
  it('lets the cap of 24 hours pause the run, which puts its end off', () => {
    const capped = { ...light, visitsPer24Hours: 3600, stopAfterVisits: 7200 }
    expect(estimate(capped, 0.2)).toMatchObject({ pausesAfter: 3600, end: { seconds: 86_400 + 3600 } })
    expect(estimate({ ...light, visitsPer24Hours: 1e9 }, 0.2)?.pausesAfter).toBeUndefined()
  })
  it('says nothing where a number is missing or a range is the wrong way round', () => {
    expect(estimate({ ...light, pages: [5, 2] }, 0.2)).toBeUndefined()
    expect(estimate({ ...light, visitsPerDay: NaN }, 0.2)).toBeUndefined()
    const texts: Record<string, string> = { TARGET_VISITS_PER_DAY: '' }
    expect(
      estimate(
        inputs((key) => texts[key] ?? '1'),
        0.2,
      ),
    ).toBeUndefined()
  })
})
