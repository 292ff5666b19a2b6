// Files of presets and of whole set-ups.
import type { Schemas } from '../api/client'
import { words } from '../text'
import type { Preset, Targets } from './preset'

export type Whole = Schemas['SetupExported']
export type PresetFile = {
  trafficinator_preset: 1
  name: string
  description: string
  config: Record<string, unknown>
  targets?: Targets
}

export type Read =
  { kind: 'preset'; preset: PresetFile } | { kind: 'setup'; setup: Whole } | { kind: 'fault'; fault: string }

const version = 1

/** The file of one preset. */
export function toFile(p: Preset): PresetFile {
  return {
    trafficinator_preset: version,
    name: p.name,
    description: p.description,
    config: p.values,
    targets: p.targets,
  }
}

/** Reads what was exported. The controller checks the values; this tells only what the file is. */
export function parseFile(text: string): Read {
  const w = words.presets.import
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch {
    return { kind: 'fault', fault: w.notJSON }
  }
  if (typeof file !== 'object' || file === null) return { kind: 'fault', fault: w.neither }
  const found = file as Record<string, unknown>
  const of = found.trafficinator_setup ?? found.trafficinator_preset
  if (of === undefined) return { kind: 'fault', fault: w.neither }
  if (of !== version) return { kind: 'fault', fault: w.newer(String(of)) }
  if ('trafficinator_setup' in found) return { kind: 'setup', setup: file as Whole }
  const { name, description, config, targets } = found
  if (typeof name !== 'string' || typeof config !== 'object' || config === null)
    return { kind: 'fault', fault: w.neither }
  return {
    kind: 'preset',
    preset: {
      trafficinator_preset: version,
      name,
      description: typeof description === 'string' ? description : '',
      config: config as Record<string, unknown>,
      targets: targets as Targets | undefined,
    },
  }
}

/** What a set-up holds, part by part, in words; parts that a hand-made file leaves out count as empty. */
export function summarizeSetup(s: Partial<Whole>): Record<string, string> {
  const w = words.presets.import
  const size = (list: unknown) => w.pages(Array.isArray(list) ? list.length : 0)
  return {
    config: w.pages(Object.keys(s.config ?? {}).length),
    presets: size(s.presets),
    funnels: size(s.funnels),
    urls: typeof s.urls === 'string' ? w.pages(pages(s.urls)) : w.builtIn,
    events: s.events ? w.custom : w.builtIn,
    targets: size(s.targets),
    routing: s.mode === 'multi' ? w.multi(String(s.distribution_strategy ?? '')) : w.single,
  }
}

const pages = (list: string) => list.split('\n').filter((line) => line.trim() && !line.trim().startsWith('#')).length

/** A file name of a preset's name: letters and digits of any script, the rest as dashes. */
export const fileName = (name: string) =>
  `trafficinator-preset-${
    name
      .replace(/[^\p{L}\p{N}]+/gu, '-')
      .replace(/^-|-$/g, '')
      .slice(0, 60) || 'unnamed'
  }.json`
