// A request of a button: which one is under way, what came of it, and what is read again afterwards.
import { useQueryClient } from '@tanstack/svelte-query'
import { tell } from '../ui/toasts.svelte'
import { tellFailure } from './apply'

/** `key` is that of the queries that a request may have changed. */
export function asking(key: () => unknown[]) {
  const queries = useQueryClient()
  let busy = $state('')
  return {
    /** The name of the request under way, empty for none. */
    get busy() {
      return busy
    },
    /** Asks under a name; `done` is told where it went well. */
    async ask(what: string, request: () => Promise<unknown>, done = '') {
      busy = what
      try {
        await request()
        if (done) tell('good', done)
      } catch (e) {
        tellFailure(e)
      } finally {
        await queries.invalidateQueries({ queryKey: key() })
        busy = ''
      }
    },
  }
}
