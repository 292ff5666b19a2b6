import { describe, expect, it } from 'vitest'
import { dateFormatter } from './timezone'

describe('a zone', () => {
  it('may be spelt as Matomo does', () => {
    const noon = Date.UTC(2026, 0, 15, 12)
    const write = (zone: string) =>
      dateFormatter(zone, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }, 'en-GB')(noon)
    expect(['UTC', 'UTC+5.5', 'UTC-3.5', 'UTC+1', 'Asia/Kolkata'].map(write)).toEqual([
      '12:00',
      '17:30',
      '08:30',
      '13:00',
      '17:30',
    ])
  })
})
