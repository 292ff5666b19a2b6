// What the controller says of a backfill while its form is being filled in.
import { api, ApiError, data, type Schemas } from '../api/client'
import { place, refused, type Problem } from '../configuration/problems'

/** How long nothing is typed before the controller is asked, in milliseconds. */
const pause = 300

/** Asks whenever what is to be sent changes; call it while a component is set up. `known` are the settings of the form. */
export function planning(body: () => Record<string, string>, known: string[]) {
  let plan = $state.raw<Schemas['JobPlanAnswer'] | undefined>()
  let problems = $state.raw<Problem[]>([])
  let failure = $state.raw<unknown>()
  let asking = $state(true)

  $effect(() => {
    const asked = body()
    asking = true
    const abandoned = new AbortController()
    const timer = setTimeout(async () => {
      try {
        const answer = data(await api.POST('/api/backfill/plan', { body: asked, signal: abandoned.signal }))
        plan = answer
        problems = place(answer.warnings ?? [], new Set(known))
        failure = undefined
      } catch (e) {
        if (abandoned.signal.aborted) return
        const faults = e instanceof ApiError && e.status === 422 ? refused(e.faults) : []
        plan = undefined
        problems = place(faults, new Set(known))
        failure = faults.length ? undefined : e
      }
      asking = false
    }, pause)
    return () => {
      clearTimeout(timer)
      abandoned.abort()
    }
  })

  return {
    /** What would be sent; undefined where the form has faults or nobody answers. */
    get plan() {
      return plan
    },
    /** What is wrong with the form, or worth to know of it. */
    get problems() {
      return problems
    },
    /** Why the controller could not be asked. */
    get failure() {
      return failure
    },
    /** The plan is of an earlier form; a newer one is on its way. */
    get asking() {
      return asking
    },
    /** It would be taken as it is. */
    get ready() {
      return !!plan && plan.total > 0 && !asking && !problems.some((p) => p.severity === 'error')
    },
  }
}
