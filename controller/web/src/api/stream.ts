// The events of the controller's stream, by the types of its document.
import type { operations } from './schema.gen'

type Event = operations['get-api-stream']['responses'][200]['content']['text/event-stream']
type Events = { [E in Event as E['event']]: E['data'] }
type Kind = keyof Events

/** What an event of a kind brings. */
export type EventData<K extends Kind> = Events[K]

/** What each kind has at the least; without it another version of the controller, or something in between, has sent it. */
const required: { [K in Kind]: (keyof EventData<K>)[] } = {
  state: ['container', 'phase', 'runtime', 'messages'],
  sample: ['run_id', 'time', 'hits', 'delta', 'latency'],
  log: ['time', 'text'],
}

/** What the text of an event holds; undefined where it is none of its kind. */
export function parse<K extends Kind>(kind: K, text: string): EventData<K> | undefined {
  try {
    const data: unknown = JSON.parse(text)
    if (typeof data === 'object' && data !== null && required[kind].every((key) => key in data)) {
      return data as EventData<K>
    }
  } catch {
    // It is not JSON.
  }
  console.warn(`The stream brought something that is no ${kind}:`, text)
}

/** Hands every event of a kind to `take`. */
export function on<K extends Kind>(source: EventSource, kind: K, take: (data: EventData<K>) => void) {
  source.addEventListener(kind, (e) => {
    const data = parse(kind, e.data)
    if (data) take(data)
  })
}
