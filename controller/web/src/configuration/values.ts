// The values of settings as texts, the form in which a person writes them and the generator's environment holds them.
import type { Schemas } from '../api/client'
import { keys } from '../text'

export type Setting = Schemas['SettingField']
export type Texts = Record<string, string>

/** What stands for a saved secret; sent back it keeps the secret. */
export const mask = '***MASKED***'

/** What belongs to this set-up alone: a preset neither holds nor changes it. */
export const isInstanceSetting = (s: Setting) => s.role === 'target' || s.key === keys.runid

/** A value of the API as a text; empty where there is none. */
export function toText(value: unknown): string {
  if (value === null || value === undefined) return ''
  return Array.isArray(value) ? value.join(', ') : String(value)
}

/** The settings with the defaults of a send mode: some have another one in bulk. */
export const withModeDefaults = (settings: Setting[], mode: string) =>
  mode === 'bulk' ? settings.map((s) => (s.default_in_bulk ? { ...s, default: s.default_in_bulk } : s)) : settings

/** What a text means: an empty one the default. */
export const orDefault = (s: Setting, text: string) => text.trim() || s.default

/** Tells whether two texts mean the same to a setting: 0.10 and 0.1, or nothing and the default. */
export function isEqual(s: Setting, a: string, b: string): boolean {
  const [x, y] = [plain(s, orDefault(s, a)), plain(s, orDefault(s, b))]
  return x === y
}

function plain(s: Setting, text: string): string {
  switch (s.kind) {
    case 'list of numbers':
      return text.split(',').map(asNumber).join()
    case 'whole number':
    case 'number':
      return asNumber(text)
    default:
      return text
  }
}

function asNumber(text: string): string {
  const n = Number(text)
  return text.trim() === '' || Number.isNaN(n) ? text.trim() : String(n)
}

/** The settings that a search finds, by name, env key, group or help; all words must be found. */
export function search(settings: Setting[], query: string, nameOf: (key: string) => string): Setting[] {
  const wanted = query.toLowerCase().split(/\s+/).filter(Boolean)
  return settings.filter((s) => {
    const text = [nameOf(s.key), s.key, s.key.replaceAll('_', ' '), s.group, s.help].join(' ').toLowerCase()
    return wanted.every((w) => text.includes(w))
  })
}

/** The settings that make a preset of a configuration: all but secrets and what is this set-up's own. */
export const presetKeys = (settings: Setting[]) => settings.filter((s) => !s.secret && !isInstanceSetting(s))
