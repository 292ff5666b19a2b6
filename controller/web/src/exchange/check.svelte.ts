// What the server says of something in an editor, asked again some time after every edit.
import { sentence } from '../api/client'

/** How long the typing must rest before it is sent, in milliseconds. */
const rest = 600

export type Check<R> = ReturnType<typeof createCheck<R>>

/** Checks by `send`; `onreport` gets each answer while what was sent is still the same. */
export function createCheck<R>(send: (signal: AbortSignal) => Promise<R>, onreport?: (report: R) => void) {
  let state = $state<'checking' | 'done' | 'failed'>('checking')
  let failure = $state('')
  let report = $state.raw<R | undefined>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let request: AbortController | undefined

  function stop() {
    clearTimeout(timer)
    request?.abort()
  }

  async function ask() {
    const { signal } = (request = new AbortController())
    try {
      const answer = await send(signal)
      if (signal.aborted) return
      report = answer
      state = 'done'
      onreport?.(answer)
    } catch (e) {
      if (signal.aborted) return
      state = 'failed'
      failure = sentence(e)
    }
  }

  return {
    get state() {
      return state
    },
    /** Why it could not be checked. */
    get failure() {
      return failure
    },
    /** The last answer; it may be of an earlier state while `state` is checking. */
    get report() {
      return report
    },
    /** Checks when the edits rest; call it after each. */
    later() {
      stop()
      state = 'checking'
      timer = setTimeout(ask, rest)
    },
    now() {
      stop()
      state = 'checking'
      void ask()
    },
    stop,
  }
}
