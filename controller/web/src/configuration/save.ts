import { refetchConfig, saveConfig } from '../api/mutations'
import { errorDetails, toastError } from '../errors'
import { navigate } from '../ui'
import { words } from '../text'
import type { Draft } from './draft.svelte'

/** Saves the draft; true where it is saved. Where somebody else was faster, the reader is led to the comparison. */
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
    } else toastError(e, status === 422 ? words.configuration.pages.refused : undefined)
    return false
  }
}
