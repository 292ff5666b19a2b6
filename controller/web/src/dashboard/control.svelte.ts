// What a person can do to the generator, and what goes on of it. The controller takes one operation at a time.
import { api, type Schemas } from '../api/client'
import { tellFailure } from '../exchange/apply'
import { tell } from '../ui/toasts.svelte'

export type Action = 'start' | 'stop' | 'force' | 'restart' | 'heal'

const requests: Record<Action, () => Promise<{ data?: Schemas['ResultAnswer'] }>> = {
  start: () => api.POST('/api/start', {}),
  stop: () => api.POST('/api/stop', {}),
  force: () => api.POST('/api/stop', { body: { mode: 'now' } }),
  restart: () => api.POST('/api/restart', {}),
  heal: () => api.POST('/api/heal', {}),
}

let going = $state<Action[]>([])

export const control = {
  /** The action was asked for and not yet answered. */
  busy(action: Action) {
    return going.includes(action)
  },
  /**
   * Asks for an action and tells a failure; true where it went well. What it came to is told by the live state; what
   * failed beside, and what a stop has cut off, is told here. A stop that was made quicker leaves that to the quicker one.
   */
  async ask(action: Action): Promise<boolean> {
    if (going.includes(action)) return false
    going = [...going, action]
    try {
      const { data } = await requests[action]()
      const beside = (data?.warnings ?? []).map((p) => `${p.where}: ${p.message}`)
      if (data && (beside.length || data.cut_visits) && !(action === 'stop' && going.includes('force')))
        tell(beside.length ? 'bad' : 'note', data.message, { details: beside })
      return true
    } catch (e) {
      tellFailure(e)
      return false
    } finally {
      going = going.filter((a) => a !== action)
    }
  },
}
