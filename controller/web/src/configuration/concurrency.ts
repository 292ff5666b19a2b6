// Whether CONCURRENCY is sufficient for a plan; estimated, not measured.
import type { Schemas } from '../api/client'

export type Capacity = {
  /** Requests in flight at the given latency. */
  inFlight: number
  /** enough: at most 70 % of CONCURRENCY; tight: within it; short: hits will be shed. */
  capacity: 'enough' | 'tight' | 'short'
  /** Requests per second that CONCURRENCY allows at that latency. */
  mostPerSecond: number
}

/** Share of CONCURRENCY in use up to which a higher latency than assumed is no problem. */
const comfortable = 0.7

type Load = Pick<Schemas['Estimate'], 'hits_per_second' | 'hits_per_request' | 'concurrency'>

/** The capacity at a latency in seconds, by Little's law. */
export function capacity(e: Load, latency: number): Capacity {
  const inFlight = (e.hits_per_second / e.hits_per_request) * latency
  const load = inFlight / e.concurrency
  return {
    inFlight,
    capacity: load <= comfortable ? 'enough' : load <= 1 ? 'tight' : 'short',
    mostPerSecond: e.concurrency / latency,
  }
}
