// Follows the log: the last lines first, then new ones; lines missed during a disconnect are fetched.
import { api } from '../api/client'
import { onEvent } from '../api/stream'
import { after, type Line } from './line'

export type Level = '' | 'INFO' | 'WARNING' | 'ERROR'
export type Choice = {
  /** The minimum severity; empty for all lines. */
  level: Level
  /** Only lines that contain all of these texts. */
  filter: string[]
  /** The number of earlier lines. */
  lines: number
}

/** The interval at which new lines are shown, in milliseconds. */
const interval = 100
/** How long to wait after the stream was refused, in milliseconds. */
const retryAfter = 2000
/** The number of lines buffered while earlier ones are being fetched. */
const mostWaiting = 10_000

/** Its state is that of the latest `follow`. */
export function createFollower() {
  let connection = $state<'connecting' | 'live' | 'lost'>('connecting')
  let loaded = $state(false)
  let failure = $state.raw<unknown>()

  /** Passes the lines of `choice` to `take`, oldest first; returns a function that stops it. */
  function follow({ level, filter, lines }: Choice, take: (lines: Line[]) => void): () => void {
    connection = 'connecting'
    loaded = false
    failure = undefined
    const ended = new AbortController()
    let source: EventSource
    let retry: ReturnType<typeof setTimeout> | undefined
    let waiting: Line[] = []
    let reading = true
    // The newest line passed on, and the newest one fetched, which the stream may repeat.
    let newest = ''
    let boundary = ''

    function pass(now: Line[]) {
      if (!now.length) return
      newest = now.at(-1)!.time
      take(now)
    }

    async function catchUp() {
      reading = true
      try {
        const query = { lines, level: level || undefined, filter, since: newest || undefined }
        const answer = await api.GET('/api/logs', { params: { query }, signal: ended.signal })
        pass((answer.lines ?? []).filter((l) => after(l.time, newest)))
        boundary = newest
        waiting = waiting.filter((l) => after(l.time, boundary))
        failure = undefined
      } catch (e) {
        failure = e
      }
      if (ended.signal.aborted) return
      loaded = true
      reading = false
    }

    function connect() {
      const query = new URLSearchParams(filter.map((text) => ['filter', text]))
      if (level) query.set('level', level)
      source = new EventSource(`./api/stream?${query}`)
      source.addEventListener('open', () => {
        connection = 'live'
        void catchUp()
      })
      onEvent(source, 'log', (line) => {
        if (!after(line.time, boundary)) return
        waiting.push(line)
        if (waiting.length > 2 * mostWaiting) waiting = waiting.slice(-mostWaiting)
      })
      source.addEventListener('error', () => {
        connection = 'lost'
        // The browser reconnects on its own unless it was refused.
        if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, retryAfter)
      })
    }

    connect()
    const flush = setInterval(() => {
      if (!reading) pass(waiting.splice(0))
    }, interval)
    return () => {
      ended.abort()
      clearInterval(flush)
      clearTimeout(retry)
      source.close()
    }
  }

  return {
    get connection() {
      return connection
    },
    /** Whether fetching the earlier lines has ended. */
    get loaded() {
      return loaded
    },
    /** Why the earlier lines could not be fetched. */
    get failure() {
      return failure
    },
    follow,
  }
}
