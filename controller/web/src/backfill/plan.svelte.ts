// The plan of the backfill in the form, requested again when typing pauses.
import { createQuery, planQuery } from '../api/queries'
import { toProblems, toFaults } from '../configuration/problems'
import { errorDetails } from '../errors'
import { Debounced } from '../ui/debounced.svelte'
import { body, draft, settings } from './form.svelte'

const known = new Set([...settings, 'name'])

/** Create it during component initialisation. */
export class Planning {
  readonly #body = $derived(body(draft.form))
  readonly #sent = new Debounced(() => this.#body, 300)
  readonly #query = createQuery(() => planQuery(this.#sent.now))
  readonly #faults = $derived(toFaults(errorDetails(this.#query.error)))
  /** Undefined if the form is invalid or the request failed. */
  readonly plan = $derived(this.#query.isError ? undefined : this.#query.data)
  readonly problems = $derived(toProblems(this.plan?.warnings ?? this.#faults, known))
  /** Why there is no plan, unless the form is invalid. */
  readonly failure = $derived(this.#faults.length ? undefined : this.#query.error)
  /** The plan is that of an earlier form. */
  readonly asking = $derived(this.#query.isFetching || this.#sent.now !== this.#body)
  readonly errors = $derived(this.problems.filter((p) => p.severity === 'error'))
  /** The backfill can be started. */
  readonly ready = $derived(!!this.plan && this.plan.total > 0 && !this.asking && !this.errors.length)
}
