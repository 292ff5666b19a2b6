import { expect, it } from 'vitest'
import { sameClock } from './clocks'

it('takes two names of one clock for the same, and tells zones apart that agree for half a year', () => {
  expect(sameClock('CET', 'Europe/Stockholm')).toBe(true)
  expect(sameClock('UTC', 'Europe/London')).toBe(false)
  expect(sameClock('Asia/Tokyo', 'America/New_York')).toBe(false)
  expect(sameClock('Nowhere/Else', 'UTC')).toBeUndefined()
})
