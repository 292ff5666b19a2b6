// A request of a button: which one is under way, and what came of it.
import { tellFailure } from '../fault'
import { tell } from '../ui'

export class Asking {
  /** The name of the request under way, empty for none. */
  busy = $state('')

  /** Asks under a name; `done` is told where it went well. */
  async ask(what: string, request: () => Promise<unknown>, done = '') {
    this.busy = what
    try {
      await request()
      if (done) tell('good', done)
    } catch (e) {
      tellFailure(e)
    } finally {
      this.busy = ''
    }
  }
}
