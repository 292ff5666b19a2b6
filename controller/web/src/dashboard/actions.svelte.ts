// The operations of the generator. The controller runs one at a time.
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

let running = $state<Action[]>([])

export const control = {
  /** Whether the request of an action is in progress. */
  busy: (action: Action) => running.includes(action),
  /**
   * Runs an action. The live state shows the result, toasts show warnings, failures and visits that a stop has cut off.
   * A stop overtaken by “Stop now” leaves that to it.
   */
  async run(action: Action) {
    if (running.includes(action)) return
    running = [...running, action]
    try {
      const { message, warnings, cut_visits } = await requests[action]()
      const details = (warnings ?? []).map(fieldErrorText)
      if ((details.length || cut_visits) && !(action === 'stop' && running.includes('force')))
        toast(details.length ? 'bad' : 'note', message, { details })
    } catch (e) {
      toastError(e)
    } finally {
      running = running.filter((a) => a !== action)
    }
  },
}
