import { tell } from '../ui'
import { faultsOf, lineOf, unsaid } from './faults'

const sharedFile = /^[\w.]+\.(env|json|txt)$/

/**
 * Tells a failure in a toast, with the fields that its sentence does not say; `text` stands in the place of the sentence.
 * Files that were edited by hand are left to HandEdited, which has the cure.
 */
export function tellFailure(error: unknown, text?: string) {
  const faults = faultsOf(error)
  const lines = (text ? faults.fields : unsaid(faults)).filter((f) => !sharedFile.test(f.where)).map(lineOf)
  tell('bad', text ?? faults.message, { details: text ? lines : lines.slice(0, 5) })
}
