// Imports a preset or a full setup from a file.
import { readConfig, readTargets } from '../api/requests'
import type { Schemas } from '../api/client'
import { createPreset, replaceSetup } from '../api/mutations'
import { keys } from '../text'
import type { PresetFile } from './file'
import { freeName } from './preset'

/** Saves a preset under a name that is not in `taken`; returns the name. */
export async function importPreset({ name, description, config, targets }: PresetFile, taken: string[]) {
  return (await createPreset({ name: freeName(name, taken), description, config, targets })).name
}

/**
 * Replaces everything by the setup of a file. Returns a function that restores `before` and returns the names of the
 * targets that have lost their tokens: files contain none.
 */
export async function replaceAll(setup: Schemas['SetupExported'], before: Schemas['SetupExported']) {
  const held = await tokenHolders()
  await replaceSetup(setup)
  return async (): Promise<string[]> => {
    await replaceSetup(before)
    const still = await tokenHolders()
    return held.filter((name) => !still.includes(name))
  }
}

/** The names of the targets with a saved token. */
async function tokenHolders(): Promise<string[]> {
  const [{ config }, { targets }] = await Promise.all([readConfig(), readTargets()])
  const names = (targets ?? []).filter((t) => t.token_auth).map((t) => t.name)
  return config[keys.token] ? ['the single target', ...names] : names
}
