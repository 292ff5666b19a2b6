// What the server says of the list in the editor, asked again some time after every edit.
import { api, data, sentence, type Schemas } from '../api/client'
import { problemsOf, type Problem } from './problems'

/** How long the typing must rest before the list is sent, in milliseconds. */
const rest = 600

/** Checks the list that `content` returns; `onproblems` gets what was found while the list is still the same. */
export function createCheck(content: () => string, onproblems: (problems: Problem[]) => void) {
  let state = $state<'checking' | 'done' | 'failed'>('checking')
  let failure = $state('')
  let report = $state.raw<Schemas['LibraryURLReport'] | undefined>()
  let problems = $state.raw<Problem[]>([])
  // The last one without errors: a list with errors has no structure, and a half-typed line should not take it away.
  let structure = $state.raw<Schemas['LibraryStructure'] | undefined>()
  let timer: ReturnType<typeof setTimeout> | undefined
  let request: AbortController | undefined

  function stop() {
    clearTimeout(timer)
    request?.abort()
  }

  async function ask() {
    const { signal } = (request = new AbortController())
    try {
      const answer = data(await api.POST('/api/urls/validate', { body: { content: content() }, signal }))
      if (signal.aborted) return
      report = answer
      problems = problemsOf(answer)
      if (answer.valid) structure = answer.structure
      state = 'done'
      onproblems(problems)
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
    /** Why the list could not be checked. */
    get failure() {
      return failure
    },
    get report() {
      return report
    },
    get problems() {
      return problems
    },
    get structure() {
      return structure
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
