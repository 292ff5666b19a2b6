import { expect, it } from 'vitest'
import { added, size, type Block } from './buffer'

const lines = (from: number, n: number) =>
  Array.from({ length: n }, (_, i) => ({ time: '2026-11-24T00:00:00Z', level: 'INFO', text: String(from + i) }))
const texts = (blocks: Block[]) => blocks.flatMap((b) => b.lines.map((l) => Number(l.text)))

it('keeps all lines in order while there is room', () => {
  let blocks: Block[] = []
  for (let i = 0; i < 950; i += 7) blocks = added(blocks, lines(i, Math.min(7, 950 - i)), 1000)
  expect(texts(blocks)).toEqual(Array.from({ length: 950 }, (_, i) => i))
})

it('leaves out the oldest and keeps at least as many as asked for, without a gap', () => {
  let blocks: Block[] = []
  for (let i = 0; i < 25_000; i += 130) blocks = added(blocks, lines(i, 130), 1000)
  const kept = texts(blocks)
  expect(kept.at(-1)).toBe(25_089)
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, i) => 25_090 - kept.length + i))
  expect(size(blocks)).toBeGreaterThanOrEqual(1000)
  expect(size(blocks)).toBeLessThan(1100)
})

it('changes only the last block when a line comes, so that the others are not drawn again', () => {
  const before = added([], lines(0, 250), 1000)
  const now = added(before, lines(250, 1), 1000)
  expect(now[0]).toBe(before[0])
  expect(now[1]).toBe(before[1])
  expect(now[2]).not.toBe(before[2])
  expect(before[2]?.lines).toHaveLength(50)
})
