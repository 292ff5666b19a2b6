// What can be done with a recorded run.
import { deleteRun, rerun, restoreRun } from '../api/mutations'
import { toastError } from '../errors'
import { navigate, toast } from '../ui'
import { words } from '../text'
import { runList } from './runList.svelte'

const w = words.runs

/** Begins a run again as it was and goes to where it is watched; `instead` ends the run that goes on. */
export async function rerunRun(id: string, instead = false) {
  try {
    const { run_id } = await rerun(id, instead)
    toast('good', w.rerunStarted(run_id ?? ''))
    navigate('/')
  } catch (e) {
    toastError(e)
  }
}

/** Deletes a run and offers to bring it back, which the controller can for a day. */
export async function deleteRunWithUndo(id: string) {
  const restore = () => restoreRun(id).then(() => toast('good', w.restored(id)), toastError)
  try {
    await deleteRun(id)
    runList.drop(id)
    toast('note', w.deleted(id), { action: { label: words.undo, run: () => void restore() } })
  } catch (e) {
    toastError(e)
  }
}
