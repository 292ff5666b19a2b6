// Connection tests of saved targets: of one on its card, or of all in a table.
import { testTargets } from '../api/requests'
import type { Schemas } from '../api/client'
import { toastError } from '../errors'

type Result = Schemas['TargetTest']

export class ConnectionTests {
  /** Results of single tests, by id of the target. */
  found = $state<Record<number, Result | undefined>>({})
  /** The ids of targets being tested. */
  testing = $state<number[]>([])
  /** The results of all; undefined until the test has finished. */
  results = $state.raw<Result[]>()
  error = $state.raw<unknown>()

  async one(id: number) {
    this.testing = [...this.testing, id]
    this.found[id] = undefined
    try {
      this.found[id] = (await testTargets([id]))[0]
    } catch (e) {
      toastError(e)
    } finally {
      this.testing = this.testing.filter((other) => other !== id)
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
