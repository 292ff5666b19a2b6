// Actions on presets, with undo.
import type { Schemas } from '../api/client'
import { apply, createPreset, deletePreset, loadPreset, saveConfig } from '../api/mutations'
import { explicitValues, start, updatePreset } from '../api/mutations'
import { toastError } from '../errors'
import { Action } from '../errors/action.svelte'
import { download, navigate, deleteWithUndo, toast } from '../ui'
import { words } from '../text'
import { fileName, toFile } from './file'
import { freeName, type Preset } from './preset'

const attempt = (request: () => Promise<unknown>) => new Action().run('preset', request)
/** Removes the targets of a preset. */
const none = { mode: 'single', distribution_strategy: 'round-robin', targets: [] }

/** Changes a saved preset and offers to undo it; returns whether it succeeded. */
export function overwrite(before: Schemas['SetupPreset'], body: Schemas['SetupPresetInput']): Promise<boolean> {
  const { id, name, description, config, targets = none } = before
  const undo = () =>
    attempt(async () => {
      await updatePreset(id, { name, description, config, targets })
      toast('note', `“${name}” restored.`)
    })
  return attempt(async () => {
    await updatePreset(id, body)
    const action = { label: words.undo, run: () => void undo() }
    toast('good', `“${name}” overwritten with the current configuration.`, { action })
  })
}

/** Saves a copy under a free name. */
export const duplicate = (p: Preset, taken: string[]) =>
  attempt(async () => {
    const name = freeName(`${p.name} (copy)`, taken)
    const saved = await createPreset({ name, description: p.description, config: p.values, targets: p.targets })
    toast('good', `“${saved.name}” saved.`)
  })

/** Deletes a saved preset after a grace period. */
export function deletePresetLater(p: Preset) {
  const id = p.saved?.id
  if (id !== undefined) deleteWithUndo(`preset/${id}`, `“${p.name}” deleted.`, () => deletePreset(id).catch(toastError))
}

export function exportPreset(p: Preset) {
  download(fileName(p.name), JSON.stringify(toFile(p), null, 2), 'application/json')
}

/** A preset that was loaded, with the configuration before. */
export type LoadedPreset = {
  name: string
  before: Schemas['ConfigBody']
  revision: number
  /** Present if it replaced the targets, which cannot be undone; those in `tokens` need a token. */
  targets?: { tokens: string[] }
}

/** Loads a preset into the saved configuration; undefined if that failed. */
export async function loadIntoConfig(p: Preset): Promise<LoadedPreset | undefined> {
  try {
    const { before, after } = await loadPreset(p.id, !!p.targets)
    const tokens = (after.warnings ?? []).filter((w) => w.where === 'targets').map((w) => w.value ?? '')
    return { name: p.name, before, revision: after.revision, targets: p.targets && { tokens } }
  } catch (e) {
    toastError(e)
  }
}

/** Restores the configuration unless someone has changed it since; tokens are kept. */
export const undoLoad = ({ before, revision }: LoadedPreset) =>
  attempt(async () => {
    await saveConfig(explicitValues(before), revision)
    toast('note', 'The previous configuration is restored.')
  })

/** Applies the saved configuration or starts with it; if that fails, the review shows why. */
export async function applyOrStart(active: boolean): Promise<boolean> {
  const done = await attempt(async () => {
    await (active ? apply() : start())
    toast('good', active ? 'The new configuration is running.' : 'Traffic is starting.')
  })
  if (!done) navigate('/configuration/review')
  return done
}
