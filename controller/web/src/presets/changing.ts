// What is done with presets, each with a way back.
import type { QueryClient } from '@tanstack/svelte-query'
import { api, data, type Schemas } from '../api/client'
import { tellFailure } from '../exchange/apply'
import { go } from '../ui/router.svelte'
import { tell } from '../ui/toasts.svelte'
import { remove } from '../ui/undo.svelte'
import { download } from '../ui/download'
import { words } from '../words'
import { fileName, fileOf } from './file'
import { freeName, type Preset } from './preset'

const w = words.presets
/** Takes the targets out of a preset. */
const none = { mode: 'single', distribution_strategy: 'round-robin', targets: [] }

/** Changes a saved preset and offers the way back; false where it was refused. */
export async function overwrite(
  queries: QueryClient,
  before: Schemas['SetupPreset'],
  body: Schemas['PresetUpdateBody'],
): Promise<boolean> {
  const params = { path: { id: before.id } }
  const refresh = () => queries.invalidateQueries({ queryKey: ['presets'] })
  try {
    await api.PUT('/api/presets/{id}', { params, body })
    await refresh()
    const undo = async () => {
      const { name, description, config } = before
      const targets = before.targets ?? none
      await api.PUT('/api/presets/{id}', { params, body: { name, description, config, targets } })
      await refresh()
      tell('note', w.restored(before.name))
    }
    tell('good', w.overwritten(before.name), {
      action: { label: words.undo, run: () => void undo().catch(tellFailure) },
    })
    return true
  } catch (e) {
    tellFailure(e)
    return false
  }
}

/** Saves a copy under a free name. */
export async function duplicate(queries: QueryClient, p: Preset, taken: string[]) {
  try {
    const name = freeName(w.copy(p.name), taken)
    const body = { name, description: p.description, config: p.values, targets: p.targets }
    const saved = data(await api.POST('/api/presets', { body }))
    await queries.invalidateQueries({ queryKey: ['presets'] })
    tell('good', w.duplicated(saved.name))
  } catch (e) {
    tellFailure(e)
  }
}

/** Deletes a saved preset after a grace. */
export function drop(queries: QueryClient, p: Preset) {
  const id = p.saved?.id
  if (id === undefined) return
  remove(`preset/${id}`, w.deleted(p.name), () =>
    api
      .DELETE('/api/presets/{id}', { params: { path: { id } }, keepalive: true })
      .catch(tellFailure)
      .finally(() => queries.invalidateQueries({ queryKey: ['presets'] })),
  )
}

/** Hands a preset to the browser as a file. */
export function exportPreset(p: Preset) {
  download(fileName(p.name), JSON.stringify(fileOf(p), null, 2), 'application/json')
}

/** What was loaded, and the configuration of before. */
export type Loaded = {
  name: string
  before: Schemas['SavedBody']
  revision: number
  /** It changed the targets too: there is no way back then, and these need a token. */
  targets?: { tokens: string[] }
}

/** Lays a preset over the saved configuration. */
export async function load(queries: QueryClient, p: Preset): Promise<Loaded | undefined> {
  try {
    const before = data(await api.GET('/api/config'))
    const params = { path: { id: p.id }, header: { 'If-Match': `"${before.revision}"` } }
    const saved = data(await api.POST('/api/presets/{id}/load', { params }))
    queries.setQueryData(['config'], saved)
    void queries.invalidateQueries({ queryKey: ['exchange'] })
    if (p.targets) await queries.invalidateQueries({ queryKey: ['targets'] })
    const tokens = (saved.warnings ?? []).filter((w) => w.where === 'targets').map((w) => w.value ?? '')
    return { name: p.name, before, revision: saved.revision, targets: p.targets && { tokens } }
  } catch (e) {
    tellFailure(e)
  }
}

/** Saves the configuration of before a preset was loaded, unless somebody has changed it since; the token stays. */
export async function unload(queries: QueryClient, loaded: Loaded): Promise<boolean> {
  try {
    const set = loaded.before.set ?? []
    const config = Object.fromEntries(set.map((key) => [key, loaded.before.config[key]]))
    const header = { 'If-Match': `"${loaded.revision}"` }
    queries.setQueryData(['config'], data(await api.PUT('/api/config', { params: { header }, body: { config } })))
    void queries.invalidateQueries({ queryKey: ['exchange'] })
    tell('note', w.undone)
    return true
  } catch (e) {
    tellFailure(e)
    return false
  }
}

/** Applies what is saved, or starts with it; where that fails, the review tells why and offers it again. */
export async function apply(queries: QueryClient, active: boolean): Promise<boolean> {
  try {
    if (active) await api.POST('/api/config/apply')
    else await api.POST('/api/start')
    tell('good', active ? w.applied : w.started)
    return true
  } catch (e) {
    tellFailure(e)
    go('/configuration/review')
    return false
  } finally {
    void queries.invalidateQueries({ queryKey: ['exchange'] })
  }
}
