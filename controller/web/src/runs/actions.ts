import { deleteRun, rerun, restoreRun } from '../api/mutations'
import { toastError } from '../errors'
import { navigate, toast } from '../ui'
import { words } from '../text'
import { runList } from './runList.svelte'

const w = words.runs

/** Reruns a run and goes to the dashboard; `stopCurrent` stops the current run first. */
export async function rerunRun(id: string, stopCurrent = false) {
  try {
    const { run_id } = await rerun(id, stopCurrent)
    toast('good', w.rerunStarted(run_id ?? ''))
    navigate('/')
  } catch (e) {
    toastError(e)
  }
}

/** Deletes a run and offers undo, which the controller supports for a day. */
export async function deleteRunWithUndo(id: string) {
  const restore = () => restoreRun(id).then(() => toast('good', w.restored(id)), toastError)
  try {
    await deleteRun(id)
    runList.deselect(id)
    toast('note', w.deleted(id), { action: { label: words.undo, run: () => void restore() } })
  } catch (e) {
    toastError(e)
  }
}
