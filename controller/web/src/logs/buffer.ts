// The newest lines of the log in blocks. Only the last block changes, so rendering time does not grow with their number.
import type { Line } from './line'

export type Block = { id: number; lines: Line[] }

const perBlock = 100

/** Adds lines; drops the oldest blocks as long as `most` lines remain. */
export function added(blocks: Block[], lines: Line[], most: number): Block[] {
  const out = [...blocks]
  for (let from = 0; from < lines.length;) {
    const last = out.at(-1)
    const room = last ? perBlock - last.lines.length : 0
    if (last && room > 0) {
      out[out.length - 1] = { id: last.id, lines: [...last.lines, ...lines.slice(from, from + room)] }
      from += room
    } else {
      out.push({ id: (last?.id ?? 0) + 1, lines: [] })
    }
  }
  let total = size(out)
  let gone = 0
  for (const b of out) {
    if (total - b.lines.length < most) break
    total -= b.lines.length
    gone++
  }
  return gone ? out.slice(gone) : out
}

/** The number of lines. */
export const size = (blocks: Block[]) => blocks.reduce((n, b) => n + b.lines.length, 0)

/** Adds lines to those waiting; keeps the newest `most`. */
export const newest = (waiting: Line[], lines: Line[], most: number) => [...waiting, ...lines].slice(-most)
