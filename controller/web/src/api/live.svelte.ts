// What happens now: the state of the generator and its numbers, pushed by the controller. One stream for all pages.
import { untrack } from 'svelte'
import { api, type Schemas } from './client'
import { type EventData, on } from './stream'

export type Sample = EventData<'sample'>
export type Status = EventData<'state'>
/** A second of the charts; `at` is its time in Unix seconds. */
export type Point = Schemas['LivePoint'] & { at: number }

/** How many points are kept: two hours, one a second. */
const kept = 7200

class Live {
  /** The generator and its run; undefined until the first word of the controller. */
  status = $state.raw<Status>()
  /** The newest numbers of the run that sends, else those of the last one seen. */
  sample = $state.raw<Sample>()
  connection = $state<'connecting' | 'live' | 'lost'>('connecting')
  /** The last two hours, oldest first. The array is the same all along; the version grows with it. */
  series = $state.raw<{ points: Point[]; version: number }>({ points: [], version: 0 })
  /** A live run or a capacity search is on. */
  readonly active = $derived(!!this.status?.run && !this.status.run.ended)
  #source: EventSource | undefined

  /** Begins to listen; returns the end of it. */
  listen(): () => void {
    void this.#catchUp()
    const source = (this.#source = new EventSource('./api/stream?logs=false'))
    on(source, 'state', (status) => (this.status = status))
    on(source, 'sample', (sample) => {
      this.sample = sample
      this.#add(sample)
    })
    source.addEventListener('open', () => {
      if (this.connection === 'lost') void this.#catchUp()
      this.connection = 'live'
    })
    source.addEventListener('error', () => {
      this.connection = 'lost'
      // A refused stream does not come back by itself: ask, and the session or the controller tells why.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#retry(), 2000)
    })
    return () => this.#stop()
  }

  #stop() {
    this.#source?.close()
    this.#source = undefined
  }

  async #retry() {
    if (!this.#source) return
    this.#stop()
    const { signed_in } = await api.GET('/api/session').catch(() => ({ signed_in: true }))
    if (signed_in) this.listen()
    else location.reload()
  }

  /** Reads what was missed; the stream alone begins with now. */
  async #catchUp() {
    // Who listens in an effect does not begin again with every point.
    const { points } = untrack(() => this.series)
    const since = points.at(-1)?.time
    const answer = await api.GET('/api/live', { params: { query: since ? { since } : {} } }).catch(() => undefined)
    const missed = (answer?.points ?? []).map(point)
    const from = missed.at(0)?.time
    this.#show(from ? [...points.filter((p) => p.time < from), ...missed].slice(-kept) : points)
  }

  #add(p: Schemas['LivePoint']) {
    const { points } = this.series
    const last = points.at(-1)
    if (last && last.time >= p.time) return
    points.push(point(p))
    if (points.length > kept) points.splice(0, points.length - kept)
    this.#show(points)
  }

  #show(points: Point[]) {
    this.series = { points, version: this.series.version + 1 }
  }
}

export const live = new Live()

/** What is kept of a sample for two hours: a point alone. */
function point(p: Schemas['LivePoint']): Point {
  const { time, hit_rate, visit_rate, delta, latency, open_visits, scale } = p
  return { at: Date.parse(time) / 1000, time, hit_rate, visit_rate, delta, latency, open_visits, scale }
}
