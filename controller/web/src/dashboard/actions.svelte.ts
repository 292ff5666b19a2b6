// What a person can do to the generator, and what goes on of it. The controller takes one operation at a time.
import type { Schemas } from '../api/client'
import { heal, restart, start, stop } from '../api/mutations'
import { fieldErrorText, toastError } from '../errors'
import { toast } from '../ui'

export type Action = 'start' | 'stop' | 'force' | 'restart' | 'heal'

const requests: Record<Action, () => Promise<Schemas['ResultResponse']>> = {
  start,
  stop,
  force: () => stop(true),
  restart,
  heal,
}

let going = $state<Action[]>([])

export const control = {
  /** The action was asked for and not yet answered. */
  busy: (action: Action) => going.includes(action),
  /**
   * Asks for an action and tells a failure; true where it went well. What it came to is told by the live state; what
   * failed beside, and what a stop has cut off, is told here. A stop that was made quicker leaves that to the quicker one.
   */
  async ask(action: Action): Promise<boolean> {
    if (going.includes(action)) return false
    going = [...going, action]
    try {
      const { message, warnings, cut_visits } = await requests[action]()
      const beside = (warnings ?? []).map(fieldErrorText)
      if ((beside.length || cut_visits) && !(action === 'stop' && going.includes('force')))
        toast(beside.length ? 'bad' : 'note', message, { details: beside })
      return true
    } catch (e) {
      toastError(e)
      return false
    } finally {
      going = going.filter((a) => a !== action)
    }
  },
}
