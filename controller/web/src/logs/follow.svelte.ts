// The log as it comes: the last lines first, then every new one, with what a break of the stream has cost.
import { api } from '../api/client'
import { onEvent } from '../api/stream'
import { after, type Line } from './line'

export type Level = '' | 'INFO' | 'WARNING' | 'ERROR'
export type Choice = {
  /** Only lines at least as severe; all where empty. */
  level: Level
  /** Only lines with all of these texts in them. */
  filter: string[]
  /** How many lines from before now. */
  lines: number
}

/** How long lines are gathered before they are shown, in milliseconds. */
const gather = 100
/** How long to wait after the stream was refused, in milliseconds. */
const again = 2000
/** How many lines may wait while those before them are being read. */
const mostWaiting = 10_000

/** Follows the log. What it tells is of the `follow` that was called last. */
export function createFollower() {
  let connection = $state<'connecting' | 'live' | 'lost'>('connecting')
  let loaded = $state(false)
  let failure = $state.raw<unknown>()

  /** Hands the lines of `choice` to `take`, oldest first, until the function that it returns is called. */
  function follow({ level, filter, lines }: Choice, take: (lines: Line[]) => void): () => void {
    connection = 'connecting'
    loaded = false
    failure = undefined
    const ended = new AbortController()
    let source: EventSource
    let retry: ReturnType<typeof setTimeout> | undefined
    let waiting: Line[] = []
    let reading = true
    // The newest line handed over, and the newest that was read back: the stream may bring that one again.
    let newest = ''
    let boundary = ''

    function hand(now: Line[]) {
      if (!now.length) return
      newest = now.at(-1)!.time
      take(now)
    }

    async function catchUp() {
      reading = true
      try {
        const query = { lines, level: level || undefined, filter, since: newest || undefined }
        const answer = await api.GET('/api/logs', { params: { query }, signal: ended.signal })
        hand((answer.lines ?? []).filter((l) => after(l.time, newest)))
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
        // The browser tries again by itself unless it was refused.
        if (source.readyState === EventSource.CLOSED) retry = setTimeout(connect, again)
      })
    }

    connect()
    const flush = setInterval(() => {
      if (!reading) hand(waiting.splice(0))
    }, gather)
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
    /** The lines from before now have been read, or could not be. */
    get loaded() {
      return loaded
    },
    /** Why the lines from before now could not be read. */
    get failure() {
      return failure
    },
    follow,
  }
}
