import { apply } from '../api/mutations'
import { lineOf, tellFailure } from '../fault'
import { tell } from '../ui'
import { words } from '../text'

/** Restarts the generator with what is saved and waits until it runs. Tells how it went; true where it went well. */
export async function applySaved(): Promise<boolean> {
  try {
    const { warnings } = await apply()
    tell('good', words.exchange.applied, { details: (warnings ?? []).map(lineOf) })
    return true
  } catch (e) {
    tellFailure(e)
    return false
  }
}
