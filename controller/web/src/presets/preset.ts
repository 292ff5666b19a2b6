// Built-in and saved presets.
import type { Schemas } from '../api/client'
import { toText, isInstanceSetting, presetKeys, isEqual, type Setting } from '../configuration/values'

type Values = Record<string, unknown>
export type Targets = Schemas['StoredPresetTargets']

/** A preset of either kind; `id` is that of the API and in paths. */
export type Preset = {
  id: string
  name: string
  description: string
  values: Values
  /** Replaces the targets when loaded; undefined keeps them. */
  targets?: Targets
  /** Saved presets only. */
  saved?: { id: number; updated: string }
}

const names: Record<string, string> = { light: 'Light', medium: 'Medium', heavy: 'Heavy', extreme: 'Extreme' }
const order = Object.keys(names)

export const builtIn = ({ name, description, config }: Schemas['SetupBuiltInPreset']): Preset => ({
  id: name,
  name: names[name] ?? name,
  description,
  values: config,
})

/** The built-in presets by load; unknown ones last. */
export function builtInPresets(list: Schemas['SetupBuiltInPreset'][]): Preset[] {
  const place = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1)
  return list.toSorted((a, b) => place(a.name) - place(b.name)).map(builtIn)
}

export function savedPreset(p: Schemas['SetupPreset']): Preset {
  const saved = { id: p.id, updated: p.updated_at }
  return { id: String(p.id), name: p.name, description: p.description, values: p.config, targets: p.targets, saved }
}

/** The settings that loading a preset would change, with their current and new texts. */
export function differences(p: Preset, config: Values, settings: Setting[]) {
  return settings
    .filter((s) => s.key in p.values && !isInstanceSetting(s))
    .map((s) => ({ setting: s, now: toText(config[s.key]), then: toText(p.values[s.key]) }))
    .filter((d) => !isEqual(d.setting, d.now, d.then))
}

/** The values of a preset of a saved configuration. */
export function presetValues(config: Values, settings: Setting[]): Values {
  const keys = presetKeys(settings).map((s) => s.key)
  return Object.fromEntries(keys.filter((k) => toText(config[k]) !== '').map((k) => [k, config[k]]))
}

/** The saved targets without secrets, for a preset. */
export function presetTargets({ mode, distribution_strategy, targets }: Schemas['TargetsResponse']): Targets {
  const plain = (targets ?? []).map(
    ({ name, url, site_id, weight, enabled, api_url, tls_ca_file, tls_cert_file, tls_key_file }) => {
      return { name, url, site_id, weight, enabled, api_url, tls_ca_file, tls_cert_file, tls_key_file }
    },
  )
  return { mode, distribution_strategy, targets: plain }
}

/** The name, numbered if `taken` has it in any case; at most 100 characters. */
export function freeName(name: string, taken: string[]): string {
  const has = (n: string) => taken.some((t) => t.toLowerCase() === n.toLowerCase())
  let out = cut(name, '')
  for (let i = 2; has(out); i++) out = cut(name, ` ${i}`)
  return out
}

const cut = (name: string, end: string) => [...name].slice(0, 100 - end.length).join('') + end
