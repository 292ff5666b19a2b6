// What can be done with a recorded run.
import { deleteRun, rerun, restoreRun } from '../api/mutations'
import { tellFailure } from '../fault'
import { go, tell } from '../ui'
import { words } from '../text'
import { choice } from './choice.svelte'

const w = words.runs

/** Begins a run again as it was and goes to where it is watched; `instead` ends the run that goes on. */
export async function again(id: string, instead = false) {
  try {
    const { run_id } = await rerun(id, instead)
    tell('good', w.rerunStarted(run_id ?? ''))
    go('/')
  } catch (e) {
    tellFailure(e)
  }
}

/** Deletes a run and offers to bring it back, which the controller can for a day. */
export async function discard(id: string) {
  const restore = () => restoreRun(id).then(() => tell('good', w.restored(id)), tellFailure)
  try {
    await deleteRun(id)
    choice.drop(id)
    tell('note', w.deleted(id), { action: { label: words.undo, run: () => void restore() } })
  } catch (e) {
    tellFailure(e)
  }
}
