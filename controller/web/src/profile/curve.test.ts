import { describe, expect, it } from 'vitest'
import { asDay, asWeek, withWeight, withDayCopied, dayOf, fromDrawing, formatWeights, parseWeights } from './curve'

const day = Array.from({ length: 24 }, (_, hour) => hour)

describe('the curve of a week', () => {
  it('is read only where it is a day or a week of weights', () => {
    expect(parseWeights(day.join(', '))).toEqual(day)
    expect(parseWeights(asWeek(day).join())).toHaveLength(168)
    expect(parseWeights('1, 2, 3')).toBeUndefined()
    expect(parseWeights(day.join().replace('5', 'x'))).toBeUndefined()
    expect(parseWeights(day.join().replace('5', '-5'))).toBeUndefined()
    expect(parseWeights('')).toBeUndefined()
  })
  it('is changed at one hour of one day', () => {
    const week = withWeight(asWeek(day), 1, 3, 99)
    expect(dayOf(week, 1)[3]).toBe(99)
    expect(dayOf(week, 0)[3]).toBe(3)
    expect(withWeight(day, 4, 3, -2)[3]).toBe(0)
  })
  it('becomes a day by the mean of each hour, and back a week of equal days', () => {
    const week = withWeight(asWeek(day), 6, 0, 7)
    expect(asDay(week)[0]).toBe(1)
    expect(asDay(asWeek(day))).toEqual(day)
    expect(dayOf(withDayCopied(week, 6), 2)[0]).toBe(7)
  })
  it('is read off its drawing, where equal hours are one line', () => {
    const point = (hour: number, rate_per_day: number) => ({ at_seconds: hour * 3600, rate_per_day })
    const week = fromDrawing([point(0, 600), point(2, 600), point(2, 0), point(24, 0), point(24, 50), point(168, 50)])
    expect(week).toHaveLength(168)
    expect(week.slice(0, 3)).toEqual([1200, 1200, 0])
    expect([week[24], week.at(-1)]).toEqual([100, 100])
  })
  it('is written with three digits, which read back the same', () => {
    expect(formatWeights([1.23456, 0, 1000])).toBe('1.23, 0, 1000')
    expect(parseWeights(formatWeights(day))).toEqual(day)
  })
})
