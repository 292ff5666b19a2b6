// What happens now: the state of the generator and its numbers, pushed by the controller. One stream for all pages.
import { api, type Schemas } from './client'

export type Sample = Schemas['LiveSample']
/** A second of the charts; `at` is its time in Unix seconds. */
export type Point = Schemas['LivePoint'] & { at: number }
export type Status = Omit<Schemas['StatusAnswer'], 'config' | 'stats' | '$schema'>

/** How many points are kept: two hours, one a second. */
export const kept = 7200

let status = $state.raw<Status | undefined>()
let sample = $state.raw<Sample | undefined>()
let connection = $state<'connecting' | 'live' | 'lost'>('connecting')
let count = $state(0)
let points: Point[] = []

let source: EventSource | undefined

export const live = {
  /** The generator and its run; undefined until the first word of the controller. */
  get status() {
    return status
  },
  /** The newest numbers of the run that sends, else those of the last one seen. */
  get sample() {
    return sample
  },
  get connection() {
    return connection
  },
  /** The last two hours, oldest first. The array is the same all along; `count` tells that it grew. */
  get points() {
    return points
  },
  /** Grows with every point. */
  get count() {
    return count
  },
}

/** Begins to listen; returns the end of it. */
export function listen(): () => void {
  void catchUp()
  source = new EventSource('./api/stream?logs=false')
  source.addEventListener('state', (e) => {
    status = JSON.parse(e.data)
  })
  source.addEventListener('sample', (e) => {
    const s = JSON.parse(e.data) as Sample
    sample = s
    add(s)
  })
  source.addEventListener('open', () => {
    if (connection === 'lost') void catchUp()
    connection = 'live'
  })
  source.addEventListener('error', () => {
    connection = 'lost'
    // A refused stream does not come back by itself: ask, and the session or the controller tells why.
    if (source?.readyState === EventSource.CLOSED) setTimeout(retry, 2000)
  })
  return stop
}

function stop() {
  source?.close()
  source = undefined
}

async function retry() {
  if (!source) return
  stop()
  const signedIn = await api.GET('/api/session').then(
    (a) => a.data.signed_in,
    () => true,
  )
  if (signedIn) listen()
  else location.reload()
}

/** Reads what was missed; the stream alone begins with now. */
async function catchUp() {
  const since = points.at(-1)?.time
  const answer = await api.GET('/api/live', { params: { query: since ? { since } : {} } }).catch(() => undefined)
  const missed = (answer?.data.points ?? []).map(point)
  const from = missed.at(0)?.time
  points = from ? [...points.filter((p) => p.time < from), ...missed].slice(-kept) : points
  count++
}

/** What is kept of a sample for two hours: a point alone. */
function point(p: Schemas['LivePoint']): Point {
  const { time, hit_rate, visit_rate, delta, latency, open_visits, scale } = p
  return { at: Date.parse(time) / 1000, time, hit_rate, visit_rate, delta, latency, open_visits, scale }
}

function add(p: Schemas['LivePoint']) {
  const last = points.at(-1)
  if (last && last.time >= p.time) return
  points.push(point(p))
  if (points.length > kept) points.splice(0, points.length - kept)
  count++
}
