// What the controller says of the draft while it is being written.
import { api, data, sentence } from '../api/client'
import type { Draft } from './draft.svelte'
import { place, type Problem } from './problems'

/** How long nothing is typed before the controller is asked, in milliseconds: an answer may cost it a container. */
const pause = 800

/** Asks whenever the draft changes; call it while a component is set up. */
export function checking(draft: () => Draft) {
  let problems = $state.raw<Problem[]>([])
  let unchecked = $state<string | undefined>()

  $effect(() => {
    const config = draft().payload
    const known = new Set(draft().settings.map((s) => s.key))
    const abandoned = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const answer = data(await api.POST('/api/validate', { body: { config }, signal: abandoned.signal }))
        problems = place([...(answer.errors ?? []), ...(answer.warnings ?? [])], known)
        unchecked = undefined
      } catch (e) {
        if (!abandoned.signal.aborted) unchecked = sentence(e)
      }
    }, pause)
    return () => {
      clearTimeout(timer)
      abandoned.abort()
    }
  })

  return {
    get problems() {
      return problems
    },
    get unchecked() {
      return unchecked
    },
  }
}
