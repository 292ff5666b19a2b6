import { describe, expect, it } from 'vitest'
import { example, profileKind, nextStage, parseStages, formatStages } from './stages'

describe('stages', () => {
  it('go from text to rows and back', () => {
    const rows = parseStages('10m:0->20000, 1h:20000,5m:200000 ')
    expect(rows).toEqual([
      { duration: '10m', from: '0', to: '20000' },
      { duration: '1h', from: '20000', to: '' },
      { duration: '5m', from: '200000', to: '' },
    ])
    expect(formatStages(rows!)).toBe('10m:0→20000, 1h:20000, 5m:200000')
  })
  it('keep what is wrong in them, for the controller to name', () => {
    expect(formatStages(parseStages('ten:0→x, :5')!)).toBe('ten:0→x, :5')
  })
  it('are undefined if a part is malformed', () => {
    expect(parseStages('10m')).toBeUndefined()
    expect(parseStages('1:2:3')).toBeUndefined()
  })
  it('lose nothing while a row is still empty', () => {
    const rows = [...example(500), nextStage(example(500))]
    expect(parseStages(formatStages(rows))).toEqual(rows)
    expect(parseStages(formatStages([{ duration: '', from: '', to: '' }]))).toEqual([
      { duration: '', from: '', to: '' },
    ])
  })
  it('cannot be broken by what is typed into one of them', () => {
    expect(parseStages(formatStages([{ duration: '1h', from: '5,1m:7', to: '9' }]))).toHaveLength(1)
  })
  it('go on from the rate at which the last one ends', () => {
    expect(nextStage(example(500))).toEqual({ duration: '10m', from: '0', to: '' })
  })
})

describe('the kind of a profile', () => {
  it('is derived from the text', () => {
    expect(['', 'constant', ' week ', '1m:5'].map(profileKind)).toEqual(['constant', 'constant', 'week', 'stages'])
  })
})
