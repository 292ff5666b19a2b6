import { api } from '../api/client'
import { tellFailure } from '../exchange/apply'
import { remove } from '../ui/undo.svelte'
import { words } from '../words'

const w = words.funnels

/** What a funnel is called among things that wait to be deleted. */
export const key = (id: number) => `funnel/${id}`

/** Deletes a funnel, with a way back; `refresh` reads the list again. */
export function discard(f: { id: number; name: string }, refresh: () => Promise<unknown>) {
  remove(key(f.id), w.deleted(f.name), async () => {
    try {
      await api.DELETE('/api/funnels/{id}', { params: { path: { id: f.id } }, keepalive: true })
    } catch (e) {
      tellFailure(e)
    }
    await refresh()
  })
}
