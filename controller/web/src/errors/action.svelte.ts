// A request of a button: which one is under way, and what came of it.
import { toastError } from '.'
import { toast } from '../ui'

export class Action {
  /** The name of the request under way, empty for none. */
  busy = $state('')

  /** Asks under a name; `done` is told where it went well. */
  async ask(what: string, request: () => Promise<unknown>, done = '') {
    this.busy = what
    try {
      await request()
      if (done) toast('good', done)
    } catch (e) {
      toastError(e)
    } finally {
      this.busy = ''
    }
  }
}
