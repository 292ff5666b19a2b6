// Values of settings as texts, as they are typed and passed in the environment.
import type { Schemas } from '../api/client'
import { keys, nameOf } from '../text'

export type Setting = Schemas['SettingField']
export type Texts = Record<string, string>

/** The placeholder of a saved secret; sending it keeps the secret. */
export const mask = '***MASKED***'

/** Settings of this installation, which presets neither contain nor change. */
export const isInstanceSetting = (s: Setting) => s.role === 'target' || s.key === keys.runid

/** A value of the API as a text; empty if unset. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.join(', ') : String(value)
}

/** The settings with the defaults of a send mode; some have a different one in bulk. */
export const withModeDefaults = (settings: Setting[], mode: string) =>
  mode === 'bulk' ? settings.map((s) => (s.default_in_bulk ? { ...s, default: s.default_in_bulk } : s)) : settings

/** The value of a text; if empty, the default. */
export const orDefault = (s: Setting, text: string) => text.trim() || s.default

/** Whether two texts are the same value of a setting, such as 0.10 and 0.1, or nothing and the default. */
export function isEqual(s: Setting, a: string, b: string): boolean {
  return plain(s, orDefault(s, a)) === plain(s, orDefault(s, b))
}

function plain(s: Setting, text: string): string {
  if (s.kind === 'list of numbers') return text.split(',').map(asNumber).join()
  return s.kind === 'whole number' || s.kind === 'number' ? asNumber(text) : text
}

function asNumber(text: string): string {
  const n = Number(text)
  return text.trim() === '' || Number.isNaN(n) ? text.trim() : String(n)
}

/** The settings with all words of a query in their name, env key, group or help. */
export function search(settings: Setting[], query: string): Setting[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean)
  return settings.filter((s) => {
    const text = [nameOf(s.key), s.key, s.key.replaceAll('_', ' '), s.group, s.help].join(' ').toLowerCase()
    return wanted.every((w) => text.includes(w))
  })
}

/** The settings of a preset: all except secrets and those of this installation. */
export const presetKeys = (settings: Setting[]) => settings.filter((s) => !s.secret && !isInstanceSetting(s))
