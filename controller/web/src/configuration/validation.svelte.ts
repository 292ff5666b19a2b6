// What the controller says of the draft while it is being written.
import { validateConfig } from '../api/requests'
import { errorText } from '../errors'
import type { Draft } from './draft.svelte'
import { toProblems, type Problem } from './problems'

/** How long nothing is typed before the controller is asked, in milliseconds: an answer may cost it a container. */
const pause = 800

/** Asks whenever the draft changes; make it while a component is set up. */
export class Checking {
  problems = $state.raw<Problem[]>([])
  /** Why the newest settings could not be checked. */
  unchecked = $state<string>()

  constructor(draft: Draft) {
    $effect(() => {
      const config = draft.payload
      const known = new Set(draft.settings.map((s) => s.key))
      const abandoned = new AbortController()
      const timer = setTimeout(async () => {
        try {
          const answer = await validateConfig(config, abandoned.signal)
          this.problems = toProblems([...(answer.errors ?? []), ...(answer.warnings ?? [])], known)
          this.unchecked = undefined
        } catch (e) {
          if (!abandoned.signal.aborted) this.unchecked = errorText(e)
        }
      }, pause)
      return () => {
        clearTimeout(timer)
        abandoned.abort()
      }
    })
  }
}
