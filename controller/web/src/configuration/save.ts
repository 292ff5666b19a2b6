import { live } from '../api/live.svelte'
import { refetchConfig, saveConfig } from '../api/mutations'
import { errorDetails, toastError } from '../errors'
import { navigate, toast } from '../ui'
import type { Draft } from './draft.svelte'

/** Saves the draft and returns whether it was saved. Opens the comparison if someone else has saved meanwhile. */
export async function save(draft: Draft): Promise<boolean> {
  try {
    draft.base = await saveConfig(draft.payload, draft.base.revision)
    draft.edits = {}
    return true
  } catch (e) {
    const { status } = errorDetails(e)
    if (status === 412) {
      await refetchConfig()
      navigate('/configuration/conflict')
    } else toastError(e, status === 422 ? 'Not saved: some settings are invalid.' : undefined)
    return false
  }
}

export const savedToast = () =>
  toast(
    'good',
    live.active ? 'Saved. The current run is unchanged until you apply it.' : 'Saved. The next start uses it.',
  )
