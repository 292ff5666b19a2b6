// How far a run is from what ends it or holds it back, as the controller measures it.
import type { Schemas } from '../api/client'

type Stop = Schemas['LiveStop']

/** A limit that is set; `share` of it, 0 to 1, is used up. */
export type Limit = {
  kind: Stop['kind']
  share: number
  used: number
  all: number
  left: number
  /** There is enough to judge by. */
  judged: boolean
}

/** The limits that are set, the one that is nearest to its end first. */
export function limits(stops: Stop[]): Limit[] {
  return stops
    .filter((s) => s.limit > 0)
    .map(({ kind, current, limit, judged }) => ({
      kind,
      used: Math.min(current, limit),
      all: limit,
      left: Math.max(0, limit - current),
      share: Math.min(1, current / limit),
      judged,
    }))
    .sort((a, b) => b.share - a.share)
}
