import { describe, expect, it } from 'vitest'
import { words } from '../text'
import { kindOf, metrics, next, read, suggested, written } from './thresholds'

describe('thresholds', () => {
  it('are rows and a text alike', () => {
    const rows = read(' error_share < 1%,p95<=800ms, unknown == 0 ,')
    expect(rows).toEqual([
      { metric: 'error_share', operator: '<', bound: '1%' },
      { metric: 'p95', operator: '<=', bound: '800ms' },
      { metric: 'unknown', operator: '=', bound: '0' },
    ])
    expect(read(written(rows!))).toEqual(rows)
    expect(read('')).toEqual([])
  })
  it('that are unfinished or wrong keep what was written', () => {
    expect(read('p95<')).toEqual([{ metric: 'p95', operator: '<', bound: '' }])
    expect(read('nonsense')).toBeUndefined()
  })
  it('are suggested for what has none yet', () => {
    expect(next(read('error_share<1%')!)).toEqual(suggested('p95'))
    expect(kindOf('unknown_share')).toBe('share')
  })
  it('all have a name', () => {
    expect(metrics.filter((m) => !words.runs.thresholds.metrics[m])).toEqual([])
  })
})
