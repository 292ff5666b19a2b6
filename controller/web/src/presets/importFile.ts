// What becomes of a file of a preset or of a whole set-up.
import { readConfig, readTargets } from '../api/requests'
import type { Schemas } from '../api/client'
import { createPreset, replaceSetup } from '../api/mutations'
import { keys, words } from '../text'
import type { PresetFile } from './file'
import { freeName } from './preset'

/** Saves the preset of a file, under a name that none of `taken` has; returns that name. */
export async function importPreset({ name, description, config, targets }: PresetFile, taken: string[]) {
  return (await createPreset({ name: freeName(name, taken), description, config, targets })).name
}

/**
 * Puts the set-up of a file in the place of everything. Returns the way back to `before`, which tells the names of what has
 * lost its token: no file holds one, so it cannot be brought back.
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

/** Names of what has a token saved. */
async function tokenHolders(): Promise<string[]> {
  const [{ config }, { targets }] = await Promise.all([readConfig(), readTargets()])
  const names = (targets ?? []).filter((t) => t.token_auth).map((t) => t.name)
  return config[keys.token] ? [words.presets.import.singleTarget, ...names] : names
}
