// Saving and applying the configuration, with what a person is told of it.
import type { QueryClient } from '@tanstack/svelte-query'
import { api, ApiError, data, type Schemas, sentence } from '../api/client'
import { go } from '../ui/router.svelte'
import { tell } from '../ui/toasts.svelte'
import { words } from '../words'
import type { Draft } from './draft.svelte'

/** What a person reads of an error: the faults it lists, each with its place. */
export const lines = (e: unknown) =>
  e instanceof ApiError ? e.faults.map((f) => (f.where ? `${f.where}: ${f.message}` : f.message)) : []

/** Saves the draft; true where it is saved. Where somebody else was faster, the reader is led to the comparison. */
export async function save(draft: Draft, queries: QueryClient): Promise<boolean> {
  try {
    const answer = await api.PUT('/api/config', {
      params: { header: { 'If-Match': `"${draft.base.revision}"` } },
      body: { config: draft.payload },
    })
    draft.base = data(answer)
    draft.edits = {}
    queries.setQueryData(['config'], draft.base)
    void queries.invalidateQueries({ queryKey: ['exchange'] })
    return true
  } catch (e) {
    if (e instanceof ApiError && e.status === 412) {
      await queries.invalidateQueries({ queryKey: ['config'] })
      go('/configuration/conflict')
    } else {
      void queries.invalidateQueries({ queryKey: ['exchange'] })
      const refused = e instanceof ApiError && e.status === 422
      tell('bad', refused ? words.configuration.pages.refused : sentence(e), { details: lines(e) })
    }
    return false
  }
}

/** Lays values over what is saved; throws what the controller says where they are refused. */
export async function lay(queries: QueryClient, saved: Schemas['SavedBody'], values: Record<string, unknown>) {
  const set = Object.fromEntries((saved.set ?? []).map((key) => [key, saved.config[key]]))
  queries.setQueryData(['config'], data(await api.PUT('/api/config', { body: { config: { ...set, ...values } } })))
}
