// The configuration as it is being edited: what is saved, and the texts that were written over it.
import type { Schemas } from '../api/client'
import { keys } from '../text'
import {
  toText,
  orDefault,
  withModeDefaults,
  isInstanceSetting,
  presetKeys,
  isEqual,
  type Setting,
  type Texts,
} from './values'

export type Saved = Schemas['ConfigBody']

export class Draft {
  readonly #declared: Setting[]
  /** What the edits are laid over; its revision goes along when they are saved. */
  base = $state.raw<Saved>() as Saved
  /** What was written, by key. Of a secret: empty to remove it. */
  edits = $state.raw<Texts>({})

  constructor(settings: Setting[], saved: Saved) {
    this.#declared = settings
    this.base = saved
  }

  /** The settings with the defaults that apply: some have another one in bulk. */
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

  /** Goes back to what is saved. */
  undo(key: string) {
    const { [key]: _, ...others } = this.edits
    this.edits = others
  }

  /** Gives every setting its default but the address, the site, the token and the id of the run. */
  toDefaults() {
    const edits = { ...this.edits }
    for (const s of this.#declared) if (!isInstanceSetting(s)) edits[s.key] = s.default
    this.edits = edits
  }

  /** Every setting but secrets, as it is in the form or by default: for questions about what is not saved. */
  readonly plain = $derived.by<Texts>(() =>
    Object.fromEntries(this.settings.filter((s) => !s.secret).map((s) => [s.key, orDefault(s, this.text(s.key))])),
  )

  /** What is sent to be checked or saved: all that differs from the defaults; a secret only where it was edited. */
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

  /** What a preset of this configuration holds: a value for each setting, so that loading it leaves nothing as it was. */
  preset(): Texts {
    const out: Texts = {}
    for (const s of presetKeys(this.settings)) {
      const text = orDefault(s, this.text(s.key))
      if (text) out[s.key] = text
    }
    return out
  }
}
