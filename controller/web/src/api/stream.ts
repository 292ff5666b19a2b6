// The controller's event stream, typed by its OpenAPI document.
import type { operations } from './schema.gen'

type Event = operations['get-api-stream']['responses'][200]['content']['text/event-stream']
type Events = { [E in Event as E['event']]: E['data'] }
type Kind = keyof Events

/** The data of an event of a kind. */
export type EventData<K extends Kind> = Events[K]

/** The fields that every event of a kind has; without them it comes from another version of the controller or from a proxy. */
const required: { [K in Kind]: (keyof EventData<K>)[] } = {
  state: ['container', 'phase', 'runtime', 'messages'],
  sample: ['run_id', 'time', 'hits', 'delta', 'latency'],
  log: ['time', 'text'],
}

/** Parses the text of an event; undefined if it is not of the kind. */
export function parseEvent<K extends Kind>(kind: K, text: string): EventData<K> | undefined {
  try {
    const data: unknown = JSON.parse(text)
    if (typeof data === 'object' && data !== null && required[kind].every((key) => key in data)) {
      return data as EventData<K>
    }
  } catch {
    // Not JSON.
  }
  console.warn(`Invalid ${kind} event:`, text)
}

/** Calls `handler` with the data of every valid event of a kind. */
export function onEvent<K extends Kind>(source: EventSource, kind: K, handler: (data: EventData<K>) => void) {
  source.addEventListener(kind, (e) => {
    const data = parseEvent(kind, e.data)
    if (data) handler(data)
  })
}
