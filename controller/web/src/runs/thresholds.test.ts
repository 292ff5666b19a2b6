import { describe, expect, it } from 'vitest'
import { words } from '../text'
import { unitOf, metrics, nextThreshold, parseThresholds, defaultThreshold, formatThresholds } from './thresholds'

describe('thresholds', () => {
  it('can be parsed and formatted', () => {
    const rows = parseThresholds(' error_share < 1%,p95<=800ms, unknown == 0 ,')
    expect(rows).toEqual([
      { metric: 'error_share', operator: '<', bound: '1%' },
      { metric: 'p95', operator: '<=', bound: '800ms' },
      { metric: 'unknown', operator: '=', bound: '0' },
    ])
    expect(parseThresholds(formatThresholds(rows!))).toEqual(rows)
    expect(parseThresholds('')).toEqual([])
  })
  it('may be incomplete, but not malformed', () => {
    expect(parseThresholds('p95<')).toEqual([{ metric: 'p95', operator: '<', bound: '' }])
    expect(parseThresholds('nonsense')).toBeUndefined()
  })
  it('are defaultThreshold for what has none yet', () => {
    expect(nextThreshold(parseThresholds('error_share<1%')!)).toEqual(defaultThreshold('p95'))
    expect(unitOf('unknown_share')).toBe('share')
  })
  it('have names for all metrics', () => {
    expect(metrics.filter((m) => !words.runs.thresholds.metrics[m])).toEqual([])
  })
})
