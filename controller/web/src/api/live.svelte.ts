// Live state and samples of the generator, pushed by the controller over one stream for all pages.
import { untrack } from 'svelte'
import { api, type Schemas } from './client'
import { type EventData, onEvent } from './stream'

export type Sample = EventData<'sample'>
export type Status = EventData<'state'>
/** One second of the charts; `at` is its time in Unix seconds. */
export type Point = Schemas['LivePoint'] & { at: number }

/** Two hours of points, one a second. */
const maxPoints = 7200

class Live {
  /** The generator and its run; undefined until the first event. */
  status = $state.raw<Status>()
  /** The latest sample of the current run, or of the last one. */
  sample = $state.raw<Sample>()
  connection = $state<'connecting' | 'live' | 'lost'>('connecting')
  /** The last two hours, oldest first. The array is reused; `version` changes with every update. */
  series = $state.raw<{ points: Point[]; version: number }>({ points: [], version: 0 })
  /** Whether a live run or a capacity search is in progress. */
  readonly active = $derived(!!this.status?.run && !this.status.run.ended)
  #source: EventSource | undefined

  /** Opens the stream; returns a function that closes it. */
  connect(): () => void {
    void this.#catchUp()
    const source = (this.#source = new EventSource('./api/stream?logs=false'))
    onEvent(source, 'state', (status) => (this.status = status))
    onEvent(source, 'sample', (sample) => {
      this.sample = sample
      this.#append(sample)
    })
    source.addEventListener('open', () => {
      if (this.connection === 'lost') void this.#catchUp()
      this.connection = 'live'
    })
    source.addEventListener('error', () => {
      this.connection = 'lost'
      // The browser does not reconnect a refused stream; the session shows whether this browser was signed out.
      if (source.readyState === EventSource.CLOSED) setTimeout(() => this.#retry(), 2000)
    })
    return () => this.#close()
  }

  #close() {
    this.#source?.close()
    this.#source = undefined
  }

  async #retry() {
    if (!this.#source) return
    this.#close()
    const { signed_in } = await api.GET('/api/session').catch(() => ({ signed_in: true }))
    if (signed_in) this.connect()
    else location.reload()
  }

  /** Reads missed points; the stream has new ones only. */
  async #catchUp() {
    // Untracked: an effect that connects must not run again with every point.
    const { points } = untrack(() => this.series)
    const since = points.at(-1)?.time
    const answer = await api.GET('/api/live', { params: { query: since ? { since } : {} } }).catch(() => undefined)
    const missed = (answer?.points ?? []).map(toPoint)
    const from = missed.at(0)?.time
    this.#update(from ? [...points.filter((p) => p.time < from), ...missed].slice(-maxPoints) : points)
  }

  #append(p: Schemas['LivePoint']) {
    const { points } = this.series
    const last = points.at(-1)
    if (last && last.time >= p.time) return
    points.push(toPoint(p))
    if (points.length > maxPoints) points.splice(0, points.length - maxPoints)
    this.#update(points)
  }

  #update(points: Point[]) {
    this.series = { points, version: this.series.version + 1 }
  }
}

export const live = new Live()

/** Drops the fields of a sample that charts do not need. */
function toPoint({ time, hit_rate, visit_rate, delta, latency, open_visits, scale }: Schemas['LivePoint']): Point {
  return { at: Date.parse(time) / 1000, time, hit_rate, visit_rate, delta, latency, open_visits, scale }
}
