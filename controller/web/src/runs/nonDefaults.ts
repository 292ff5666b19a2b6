// The settings of a configuration that differ from their defaults.
import type { Schemas } from '../api/client'
import { toText, withModeDefaults, isEqual } from '../configuration/values'
import { count } from '../text'

export type Difference = {
  key: string
  value: string
  default: string
  unit: string
  secret: boolean
}

/** Generated for each run, so not part of a configuration. */
const drawn = ['RUN_ID', 'RUN_SEED']

/** The settings of `config` that differ from their default, in the order of the form; an empty one is at its default. */
export function nonDefaults(fields: Schemas['SettingField'][], config: unknown): Difference[] {
  const values = (config ?? {}) as Record<string, unknown>
  return withModeDefaults(fields, toText(values.SEND_MODE))
    .filter((f) => !drawn.includes(f.key) && !isEqual(f, toText(values[f.key]), f.default))
    .map((f) => ({
      key: f.key,
      value: shown(f, toText(values[f.key])),
      default: shown(f, f.default),
      unit: f.unit,
      secret: f.secret,
    }))
}

/** A value with thousands separators if it has a unit. */
function shown(f: Schemas['SettingField'], text: string): string {
  const n = Number(text)
  return f.unit && text && n >= 10_000 ? count(n) : text
}

/** The number of a setting in a configuration or, where it is not set, its default; not a number where it is none. */
export function numberOf(fields: Schemas['SettingField'][], config: unknown, key: string): number {
  const values = (config ?? {}) as Record<string, unknown>
  const field = withModeDefaults(fields, toText(values.SEND_MODE)).find((f) => f.key === key)
  return parseFloat(toText(values[key]) || (field?.default ?? ''))
}
