// What a person can do to the generator, and what goes on of it. The controller takes one operation at a time.
import { api } from '../api/client'
import { tellFailure } from '../exchange/apply'

export type Action = 'start' | 'stop' | 'force' | 'restart' | 'heal'

/** Seconds that a forced stop leaves. */
const forced = 1

const requests: Record<Action, () => Promise<unknown>> = {
  start: () => api.POST('/api/start', {}),
  stop: () => api.POST('/api/stop', {}),
  force: () => api.POST('/api/stop', { params: { query: { timeout: forced } } }),
  restart: () => api.POST('/api/restart', {}),
  heal: () => api.POST('/api/heal', {}),
}

let going = $state<Action[]>([])

export const control = {
  /** The action was asked for and not yet answered. */
  busy(action: Action) {
    return going.includes(action)
  },
  /** Asks for an action and tells a failure; true where it went well. What it came to is told by the live state. */
  async ask(action: Action): Promise<boolean> {
    if (going.includes(action)) return false
    going = [...going, action]
    try {
      await requests[action]()
      return true
    } catch (e) {
      tellFailure(e)
      return false
    } finally {
      going = going.filter((a) => a !== action)
    }
  },
}
