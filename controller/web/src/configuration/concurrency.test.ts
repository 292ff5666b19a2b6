import { expect, it } from 'vitest'
import { capacity } from './concurrency'

it('reports whether CONCURRENCY is sufficient at a latency', () => {
  const light = { hits_per_second: 5, hits_per_request: 1, concurrency: 10 }
  expect(capacity(light, 0.2)).toMatchObject({ inFlight: 1, capacity: 'enough', mostPerSecond: 50 })
  expect(capacity(light, 1.8).capacity).toBe('tight')
  expect(capacity(light, 3).capacity).toBe('short')
  expect(capacity({ ...light, hits_per_request: 5 }, 3)).toMatchObject({ inFlight: 3, capacity: 'enough' })
})
