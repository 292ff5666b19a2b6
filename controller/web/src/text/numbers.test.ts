import { describe, expect, it } from 'vitest'
import { latency, percent, duration } from './numbers'

describe('numbers', () => {
  it('never shows a share as whole that is not', () => {
    expect(percent(1)).toBe('100 %')
    expect(percent(0.99999)).toBe('> 99.9 %')
    expect(percent(0)).toBe('0 %')
    expect(percent(0.00001)).toBe('< 0.1 %')
    expect(percent(0 / 0)).toBe('–')
  })
  it('shows latencies in the unit that fits', () => {
    expect(latency(0.00064)).toBe('640 µs')
    expect(latency(0.0123)).toBe('12.3 ms')
    expect(latency(1.236)).toBe('1.24 s')
    expect(latency(0)).toBe('–')
  })
  it('shows spans by their two largest units', () => {
    expect(duration(42)).toBe('42 s')
    expect(duration(200)).toBe('3 min 20 s')
    expect(duration(8100)).toBe('2 h 15 min')
    expect(duration(273600)).toBe('3 d 4 h')
  })
})
