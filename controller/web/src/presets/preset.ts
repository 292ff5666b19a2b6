// What is common to built-in and own presets, and files of presets and set-ups.
import type { Schemas } from '../api/client'
import { toText, isInstanceSetting, presetKeys, isEqual, type Setting } from '../configuration/values'
import { words } from '../text'

type Values = Record<string, unknown>
export type Targets = Schemas['StoredPresetTargets']

/** A preset of either kind. `id` is what the API loads it by and what its path holds. */
export type Preset = {
  id: string
  name: string
  description: string
  values: Values
  /** What loading it makes of the targets; undefined leaves them alone. */
  targets?: Targets
  /** Of own ones: the number and the moment of the last change. */
  saved?: { id: number; updated: string }
}

const order = ['light', 'medium', 'heavy', 'extreme']

export function builtIn(p: Schemas['SetupBuiltInPreset']): Preset {
  return {
    id: p.name,
    name: words.presets.builtInNames[p.name] ?? p.name,
    description: p.description,
    values: p.config,
  }
}

/** By load, as far as it is known. */
export function builtInPresets(list: Schemas['SetupBuiltInPreset'][]): Preset[] {
  const place = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1)
  return list.toSorted((a, b) => place(a.name) - place(b.name)).map(builtIn)
}

export function savedPreset(p: Schemas['SetupPreset']): Preset {
  const saved = { id: p.id, updated: p.updated_at }
  return { id: String(p.id), name: p.name, description: p.description, values: p.config, targets: p.targets, saved }
}

/** The settings that loading a preset would change, each with the texts of now and then. */
export function differences(p: Preset, config: Values, settings: Setting[]) {
  return settings
    .filter((s) => s.key in p.values && !isInstanceSetting(s))
    .map((setting) => ({
      setting,
      now: toText(config[setting.key]),
      then: toText(p.values[setting.key]),
    }))
    .filter((d) => !isEqual(d.setting, d.now, d.then))
}

/** The values of a saved configuration that make a preset of it. */
export function presetValues(config: Values, settings: Setting[]): Values {
  const keys = presetKeys(settings).map((s) => s.key)
  return Object.fromEntries(keys.filter((k) => toText(config[k]) !== '').map((k) => [k, config[k]]))
}

/** The saved targets as a preset holds them: without secrets. */
export function presetTargets(all: Schemas['TargetsResponse']): Targets {
  const targets = (all.targets ?? []).map((t) => ({
    name: t.name,
    url: t.url,
    site_id: t.site_id,
    weight: t.weight,
    enabled: t.enabled,
    api_url: t.api_url,
    tls_ca_file: t.tls_ca_file,
    tls_cert_file: t.tls_cert_file,
    tls_key_file: t.tls_key_file,
  }))
  return { mode: all.mode, distribution_strategy: all.distribution_strategy, targets }
}

/** A name with at most 100 characters that none of `taken` has, whatever the case. */
export function freeName(name: string, taken: string[]): string {
  const has = (n: string) => taken.some((t) => t.toLowerCase() === n.toLowerCase())
  let out = cut(name, '')
  for (let i = 2; has(out); i++) out = cut(name, ` ${i}`)
  return out
}

const cut = (name: string, end: string) => [...name].slice(0, 100 - end.length).join('') + end
