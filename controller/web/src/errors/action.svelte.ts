// Requests sent by buttons: which one is in progress, and a toast with the outcome.
import { toastError } from '.'
import { toast } from '../ui'

export class Action {
  /** The name of the request in progress; empty if none. */
  busy = $state('')

  /** Runs a request under a name; shows `success` as a toast if it succeeds, or the error if it fails. */
  async run(name: string, request: () => Promise<unknown>, success = '') {
    this.busy = name
    try {
      await request()
      if (success) toast('good', success)
    } catch (e) {
      toastError(e)
    } finally {
      this.busy = ''
    }
  }
}
