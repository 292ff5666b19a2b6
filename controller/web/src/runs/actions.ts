import { deleteRun, rerun, restoreRun } from '../api/mutations'
import { toastError } from '../errors'
import { navigate, toast } from '../ui'
import { words } from '../text'
import { runList } from './runList.svelte'

/** Reruns a run and goes to the dashboard; `stopCurrent` stops the current run first. */
export async function rerunRun(id: string, stopCurrent = false) {
  try {
    const { run_id } = await rerun(id, stopCurrent)
    toast('good', `Rerun started as ${run_id ?? ''}.`)
    navigate('/')
  } catch (e) {
    toastError(e)
  }
}

/** Deletes a run and offers undo, which the controller supports for a day. */
export async function deleteRunWithUndo(id: string) {
  const restore = () => restoreRun(id).then(() => toast('good', `Run ${id} restored.`), toastError)
  try {
    await deleteRun(id)
    runList.deselect(id)
    toast('note', `Run ${id} deleted.`, { action: { label: words.undo, run: () => void restore() } })
  } catch (e) {
    toastError(e)
  }
}
