// The limits of a run: what ends or pauses it, measured by the controller.
import type { Schemas } from '../api/client'

type Stop = Schemas['LiveStop']

/** A limit; `share` of it, 0 to 1, is used and `left` remains. */
export type Limit = Stop & { share: number; left: number }

/** The limits that are set, that with the highest share first. */
export const limits = (stops: Stop[]): Limit[] =>
  stops
    .filter((s) => s.limit > 0)
    .map((s) => ({
      ...s,
      current: Math.min(s.current, s.limit),
      left: Math.max(0, s.limit - s.current),
      share: Math.min(1, s.current / s.limit),
    }))
    .sort((a, b) => b.share - a.share)
