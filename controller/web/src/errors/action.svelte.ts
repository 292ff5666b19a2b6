// Requests sent by buttons: which one is in progress, and how it ended.
import { toastError } from '.'
import { toast } from '../ui'

export class Action {
  /** The name of the request in progress; empty if none. */
  busy = $state('')
  /** Why the last request failed. */
  failure = $state.raw<unknown>()

  /** Without `toasts` the caller shows `failure` itself. */
  constructor(private readonly toasts = true) {}

  /** Runs a request and returns whether it succeeded, with `success` as a toast. */
  async run(name: string, request: () => Promise<unknown>, success = ''): Promise<boolean> {
    this.busy = name
    this.failure = undefined
    try {
      await request()
      if (success) toast('good', success)
      return true
    } catch (e) {
      this.failure = e
      if (this.toasts) toastError(e)
      return false
    } finally {
      this.busy = ''
    }
  }
}
