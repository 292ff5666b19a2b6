// Whether the requests in flight that a plan comes to have room. Nothing here is measured.
import type { Schemas } from '../api/client'

export type Capacity = {
  /** Requests in flight at the assumed answer time. */
  inFlight: number
  /** enough: at most 70 % of CONCURRENCY; tight: within it; short: hits will be shed. */
  capacity: 'enough' | 'tight' | 'short'
  /** Requests a second that CONCURRENCY carries at that answer time. */
  mostPerSecond: number
}

/** Share of CONCURRENCY up to which there is room for answers that take longer than assumed. */
const comfortable = 0.7

type Load = Pick<Schemas['Estimate'], 'hits_per_second' | 'hits_per_request' | 'concurrency'>

/** The capacity where the server takes `answerSeconds` for a request, by Little's law. */
export function capacity(e: Load, answerSeconds: number): Capacity {
  const inFlight = (e.hits_per_second / e.hits_per_request) * answerSeconds
  const load = inFlight / e.concurrency
  return {
    inFlight,
    capacity: load <= comfortable ? 'enough' : load <= 1 ? 'tight' : 'short',
    mostPerSecond: e.concurrency / answerSeconds,
  }
}
