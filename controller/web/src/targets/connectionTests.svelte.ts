// Tests of saved targets: one at its card, or all in a table.
import { testTargets } from '../api/requests'
import type { Schemas } from '../api/client'
import { toastError } from '../errors'

type Result = Schemas['TargetTest']

export class ConnectionTests {
  /** What the test of one found, by id of the target. */
  found = $state<Record<number, Result | undefined>>({})
  /** Ids of those that are being tested. */
  under = $state<number[]>([])
  /** What the test of all found; undefined until it is there. */
  results = $state.raw<Result[]>()
  error = $state.raw<unknown>()

  async one(id: number) {
    this.under = [...this.under, id]
    this.found[id] = undefined
    try {
      this.found[id] = (await testTargets([id]))[0]
    } catch (e) {
      toastError(e)
    } finally {
      this.under = this.under.filter((other) => other !== id)
    }
  }

  async all() {
    this.results = this.error = undefined
    try {
      this.results = await testTargets()
    } catch (e) {
      this.error = e
    }
  }
}
