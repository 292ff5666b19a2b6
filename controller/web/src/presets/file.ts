// Files of presets and full setups.
import type { Schemas } from '../api/client'
import { count } from '../text'
import type { Preset, Targets } from './preset'

export type Setup = Schemas['SetupExported']
export type PresetFile = {
  trafficinator_preset: 1
  name: string
  description: string
  config: Record<string, unknown>
  targets?: Targets
}

export type Read =
  { kind: 'preset'; preset: PresetFile } | { kind: 'setup'; setup: Setup } | { kind: 'fault'; fault: string }

const version = 1

/** The file of one preset. */
export function toFile({ name, description, values, targets }: Preset): PresetFile {
  return { trafficinator_preset: version, name, description, config: values, targets }
}

const invalid = {
  kind: 'fault',
  fault: 'The file is neither a preset nor a setup exported from Trafficinator.',
} as const

/** Parses an exported file; the controller validates the values. */
export function parseFile(text: string): Read {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return { kind: 'fault', fault: 'The file is not JSON.' }
  }
  if (typeof file !== 'object' || file === null) return invalid
  const found = file as Record<string, unknown>
  const of = found.trafficinator_setup ?? found.trafficinator_preset
  if (of === undefined) return invalid
  if (of !== version)
    return { kind: 'fault', fault: `The file has version ${String(of)}; this controller reads version 1.` }
  if ('trafficinator_setup' in found) return { kind: 'setup', setup: file as Setup }
  const { name, config, description } = found
  if (typeof name !== 'string' || typeof config !== 'object' || config === null) return invalid
  const preset = { ...(file as PresetFile), description: typeof description === 'string' ? description : '' }
  return { kind: 'preset', preset }
}

/** The number of items of each part of a setup; parts missing from a hand-made file count as empty. */
export function summarizeSetup(s: Partial<Setup>): Record<string, string> {
  const size = (list: unknown) => count(Array.isArray(list) ? list.length : 0)
  return {
    'Changed settings': count(Object.keys(s.config ?? {}).length),
    Presets: size(s.presets),
    Funnels: size(s.funnels),
    Pages: typeof s.urls === 'string' ? count(pages(s.urls)) : 'built-in',
    Events: s.events ? 'own list' : 'built-in',
    Targets: size(s.targets),
    Routing: s.mode === 'multi' ? `several targets, ${s.distribution_strategy ?? ''}` : 'one target',
  }
}

const pages = (list: string) => list.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#')).length

/** The file name of a preset: its letters and digits of any script, the rest as dashes. */
export function fileName(name: string): string {
  const plain = name.replace(/[^\p{L}\p{N}]+/gu, '-').replace(/^-|-$/g, '')
  return `trafficinator-preset-${plain.slice(0, 60) || 'unnamed'}.json`
}
