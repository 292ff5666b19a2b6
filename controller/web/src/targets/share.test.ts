import { expect, it } from 'vitest'
import { share } from './share'

const a = { enabled: true, weight: 30 }
const b = { enabled: true, weight: 10 }
const off = { enabled: false, weight: 60 }

it('distributes by weight among the enabled targets', () => {
  expect(share(a, [a, b, off], 'weighted')).toBe(0.75)
  expect(share(off, [a, b, off], 'weighted')).toBe(0)
})

it('distributes evenly otherwise, ignoring the weights', () => {
  expect(share(a, [a, b, off], 'round-robin')).toBe(0.5)
  expect(share(b, [a, b, off], 'random')).toBe(0.5)
})
