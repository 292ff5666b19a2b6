// What the controller says of a backfill while its form is being filled in.
import { planBackfill } from '../api/requests'
import type { Schemas } from '../api/client'
import { toProblems, type Problem, toFaults } from '../configuration/problems'
import { errorDetails } from '../errors'

/** How long nothing is typed before the controller is asked, in milliseconds. */
const pause = 300

/** Asks whenever what is to be sent changes; make it while a component is set up. */
export class Planning {
  /** What would be sent; undefined where the form has faults or nobody answers. */
  plan = $state.raw<Schemas['JobPlanResponse']>()
  /** What is wrong with the form, or worth to know of it. */
  problems = $state.raw<Problem[]>([])
  /** Why the controller could not be asked. */
  failure = $state.raw<unknown>()
  /** The plan is of an earlier form; a newer one is on its way. */
  asking = $state(true)
  /** It would be taken as it is. */
  readonly ready = $derived(
    !!this.plan && this.plan.total > 0 && !this.asking && !this.problems.some((p) => p.severity === 'error'),
  )

  /** `known` are the settings of the form. */
  constructor(body: () => Record<string, string>, known: string[]) {
    $effect(() => {
      const asked = body()
      this.asking = true
      const abandoned = new AbortController()
      const timer = setTimeout(() => this.#ask(asked, new Set(known), abandoned.signal), pause)
      return () => {
        clearTimeout(timer)
        abandoned.abort()
      }
    })
  }

  async #ask(asked: Record<string, string>, known: Set<string>, signal: AbortSignal) {
    try {
      const answer = await planBackfill(asked, signal)
      this.plan = answer
      this.problems = toProblems(answer.warnings ?? [], known)
      this.failure = undefined
    } catch (e) {
      if (signal.aborted) return
      const { status, fields } = errorDetails(e)
      const faults = status === 422 ? toFaults(fields) : []
      this.plan = undefined
      this.problems = toProblems(faults, known)
      this.failure = faults.length ? undefined : e
    }
    this.asking = false
  }
}
