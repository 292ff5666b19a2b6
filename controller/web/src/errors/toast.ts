import { toast } from '../ui'
import { errorDetails, fieldErrorText, unmentioned } from './details'

const sharedFile = /^[\w.]+\.(env|json|txt)$/

/**
 * Tells a failure in a toast, with the fields that its sentence does not say; `text` stands in the place of the sentence.
 * Files that were edited by hand are left to HandEdited, which has the cure.
 */
export function toastError(error: unknown, text?: string) {
  const errors = errorDetails(error)
  const lines = (text ? errors.fields : unmentioned(errors))
    .filter((f) => !sharedFile.test(f.where))
    .map(fieldErrorText)
  toast('bad', text ?? errors.message, { details: text ? lines : lines.slice(0, 5) })
}
