import { describe, expect, it } from 'vitest'
import { midnights, spans } from './axis'

describe('the axis of a drawing', () => {
  it('has few and round marks', () => {
    expect(spans(4000, String).map((m) => m.at)).toEqual([0, 600, 1200, 1800, 2400, 3000, 3600])
    expect(spans(86_400 * 300, String).length).toBeLessThan(13)
  })
  it('marks the midnights of the zone, also where the clock is put forward', () => {
    const start = Date.UTC(2026, 2, 28, 12) / 1000 // the clocks of Berlin go forward in the night after
    const marks = midnights(start, 2 * 86_400, 'Europe/Berlin')
    expect(marks.map((m) => m.at / 3600)).toEqual([11, 34])
    expect(midnights(start, 86_400, 'Asia/Kathmandu').map((m) => m.at / 3600)).toEqual([6.25])
    expect(midnights(start, 86_400, 'UTC+5.75').map((m) => m.at / 3600)).toEqual([6.25])
  })
})
