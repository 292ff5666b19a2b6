import { apply } from '../api/mutations'
import { fieldErrorText, toastError } from '../errors'
import { toast } from '../ui'

/** Restarts the generator with the saved changes, waits until it runs, and shows the outcome. Reports success. */
export async function applyChanges(): Promise<boolean> {
  try {
    const { warnings } = await apply()
    toast('good', 'Changes applied.', { details: (warnings ?? []).map(fieldErrorText) })
    return true
  } catch (e) {
    toastError(e)
    return false
  }
}
