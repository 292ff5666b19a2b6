// What every page does after it has saved something that a run does not know yet.
import type { QueryClient } from '@tanstack/svelte-query'
import { ApiError, api, data, sentence } from '../api/client'
import { tell } from '../ui/toasts.svelte'
import { words } from '../words'

/** Restarts the generator with what is saved and waits until it runs. Tells how it went; true where it went well. */
export async function applySaved(queries: QueryClient): Promise<boolean> {
  try {
    const { warnings } = data(await api.POST('/api/config/apply', {}))
    tell('good', words.exchange.applied, { details: (warnings ?? []).map((p) => `${p.where}: ${p.message}`) })
    return true
  } catch (e) {
    tellFailure(e)
    return false
  } finally {
    void queries.invalidateQueries({ queryKey: ['exchange'] })
  }
}

const sharedFile = /^[\w.]+\.(env|json|txt)$/

/** Tells a failed request with the faults it lists. Files edited by hand are left to HandEdited, which has the cure. */
export function tellFailure(e: unknown) {
  const all = e instanceof ApiError ? e.others : []
  const faults = all.filter((f) => !sharedFile.test(f.where))
  tell('bad', sentence(e), {
    details: faults.slice(0, 5).map((f) => (f.where ? `${f.where}: ${f.message}` : f.message)),
  })
}
