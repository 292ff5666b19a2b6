// The configuration while it is edited: saved values and unsaved edits.
import type { Schemas } from '../api/client'
import { keys } from '../text'
import { toText, orDefault, withModeDefaults, isInstanceSetting, presetKeys, isEqual } from './values'
import type { Setting, Texts } from './values'

export type Saved = Schemas['ConfigBody']

export class Draft {
  readonly #declared: Setting[]
  /** The saved configuration that the edits apply to; saving sends its revision. */
  base = $state.raw<Saved>() as Saved
  /** The edited texts by key; an empty one removes a secret. */
  edits = $state.raw<Texts>({})

  constructor(settings: Setting[], saved: Saved) {
    this.#declared = settings
    this.base = saved
  }

  /** The settings with the defaults of the current send mode. */
  readonly settings = $derived.by(() =>
    withModeDefaults(this.#declared, this.edits[keys.mode] ?? this.saved(keys.mode)),
  )

  /** The settings that saving would change. */
  readonly changed = $derived.by(() => this.settings.filter((s) => this.isChanged(s)))

  saved(key: string): string {
    return toText(this.base.config[key])
  }

  text(key: string): string {
    const unset = this.base.set?.includes(key) === false
    const other = unset ? this.settings.find((s) => s.key === key && s.default_in_bulk) : undefined
    return this.edits[key] ?? other?.default ?? this.saved(key)
  }

  isChanged(s: Setting): boolean {
    const edit = this.edits[s.key]
    if (edit === undefined) return false
    return s.secret ? edit !== '' || this.saved(s.key) !== '' : !isEqual(s, edit, this.saved(s.key))
  }

  write(key: string, text: string) {
    this.edits = { ...this.edits, [key]: text }
  }

  /** Reverts a setting to its saved value. */
  undo(key: string) {
    const { [key]: _, ...others } = this.edits
    this.edits = others
  }

  /** Sets every setting except those of this installation to its default. */
  toDefaults() {
    const edits = { ...this.edits }
    for (const s of this.#declared) if (!isInstanceSetting(s)) edits[s.key] = s.default
    this.edits = edits
  }

  /** All settings except secrets, with edits and defaults; for requests about unsaved settings. */
  readonly plain = $derived.by<Texts>(() =>
    Object.fromEntries(this.settings.filter((s) => !s.secret).map((s) => [s.key, orDefault(s, this.text(s.key))])),
  )

  /** The settings to validate or save: those that differ from their defaults, and edited secrets. */
  readonly payload = $derived.by(() => {
    const out: Texts = {}
    for (const s of this.settings) {
      const text = this.text(s.key)
      if (s.secret) {
        const edit = this.edits[s.key]
        if (edit !== undefined) out[s.key] = edit
      } else if (!isEqual(s, text, s.default)) out[s.key] = text
    }
    return out
  })

  /** The values of a preset: one for each setting, so that loading it overwrites all. */
  preset(): Texts {
    const all = presetKeys(this.settings).map((s) => [s.key, orDefault(s, this.text(s.key))])
    return Object.fromEntries(all.filter(([, text]) => text))
  }
}
