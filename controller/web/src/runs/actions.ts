// What can be done with a recorded run.
import type { QueryClient } from '@tanstack/svelte-query'
import { api, data } from '../api/client'
import { tellFailure } from '../exchange/apply'
import { go } from '../ui/router.svelte'
import { tell } from '../ui/toasts.svelte'
import { words } from '../words'
import { choice } from './choice.svelte'

const w = words.runs
const refresh = (queries: QueryClient) => queries.invalidateQueries({ queryKey: ['runs'] })

/** Begins a run again as it was and goes to where it is watched; `instead` ends the run that goes on. */
export async function rerun(queries: QueryClient, id: string, instead = false) {
  try {
    const body = { restart_if_running: instead }
    const { run_id } = data(await api.POST('/api/runs/{id}/rerun', { params: { path: { id } }, body }))
    tell('good', w.rerunStarted(run_id ?? ''))
    void refresh(queries)
    go('/')
  } catch (e) {
    tellFailure(e)
  }
}

/** Deletes a run and offers to bring it back, which the controller can for a day. */
export async function discard(queries: QueryClient, id: string) {
  try {
    await api.DELETE('/api/runs/{id}', { params: { path: { id } } })
  } catch (e) {
    return tellFailure(e)
  }
  choice.drop(id)
  tell('note', w.deleted(id), { action: { label: words.undo, run: () => void restore(queries, id) } })
  await refresh(queries)
}

async function restore(queries: QueryClient, id: string) {
  try {
    await api.POST('/api/runs/{id}/restore', { params: { path: { id } } })
    tell('good', w.restored(id))
  } catch (e) {
    tellFailure(e)
  }
  await refresh(queries)
}
