// What is done with presets, each with a way back.
import type { Schemas } from '../api/client'
import {
  apply,
  createPreset,
  deletePreset,
  loadPreset,
  saveConfig,
  explicitValues,
  start,
  updatePreset,
} from '../api/mutations'
import { toastError } from '../errors'
import { download, navigate, deleteWithUndo, toast } from '../ui'
import { words } from '../text'
import { fileName, toFile } from './file'
import { freeName, type Preset } from './preset'

const w = words.presets
/** Takes the targets out of a preset. */
const none = { mode: 'single', distribution_strategy: 'round-robin', targets: [] }

/** Changes a saved preset and offers the way back; false where it was refused. */
export async function overwrite(before: Schemas['SetupPreset'], body: Schemas['PresetUpdateBody']): Promise<boolean> {
  const undo = async () => {
    const { id, name, description, config, targets = none } = before
    await updatePreset(id, { name, description, config, targets })
    toast('note', w.restored(name))
  }
  try {
    await updatePreset(before.id, body)
    toast('good', w.overwritten(before.name), {
      action: { label: words.undo, run: () => void undo().catch(toastError) },
    })
    return true
  } catch (e) {
    toastError(e)
    return false
  }
}

/** Saves a copy under a free name. */
export async function duplicate(p: Preset, taken: string[]) {
  try {
    const name = freeName(w.copy(p.name), taken)
    const saved = await createPreset({ name, description: p.description, config: p.values, targets: p.targets })
    toast('good', w.duplicated(saved.name))
  } catch (e) {
    toastError(e)
  }
}

/** Deletes a saved preset after a grace. */
export function deletePresetLater(p: Preset) {
  const id = p.saved?.id
  if (id !== undefined) deleteWithUndo(`preset/${id}`, w.deleted(p.name), () => deletePreset(id).catch(toastError))
}

/** Hands a preset to the browser as a file. */
export function exportPreset(p: Preset) {
  download(fileName(p.name), JSON.stringify(toFile(p), null, 2), 'application/json')
}

/** What was loaded, and the configuration of before. */
export type LoadedPreset = {
  name: string
  before: Schemas['ConfigBody']
  revision: number
  /** It changed the targets too: there is no way back then, and these need a token. */
  targets?: { tokens: string[] }
}

/** Lays a preset over the saved configuration. */
export async function loadIntoConfig(p: Preset): Promise<LoadedPreset | undefined> {
  try {
    const { before, after } = await loadPreset(p.id, !!p.targets)
    const tokens = (after.warnings ?? []).filter((w) => w.where === 'targets').map((w) => w.value ?? '')
    return { name: p.name, before, revision: after.revision, targets: p.targets && { tokens } }
  } catch (e) {
    toastError(e)
  }
}

/** Saves the configuration of before a preset was loaded, unless somebody has changed it since; the token stays. */
export async function undoLoad({ before, revision }: LoadedPreset): Promise<boolean> {
  try {
    await saveConfig(explicitValues(before), revision)
    toast('note', w.undone)
    return true
  } catch (e) {
    toastError(e)
    return false
  }
}

/** Applies what is saved, or starts with it; where that fails, the review tells why and offers it again. */
export async function applyOrStart(active: boolean): Promise<boolean> {
  try {
    await (active ? apply() : start())
    toast('good', active ? w.applied : w.started)
    return true
  } catch (e) {
    toastError(e)
    navigate('/configuration/review')
    return false
  }
}
