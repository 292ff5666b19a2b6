// A file of the exchange folder in an editor: loading, saving, uploading, resetting and undoing.
import { untrack } from 'svelte'
import { errorText, toastError } from '../errors'
import { guardNavigation, toast } from '../ui'
import { words } from '../text'
import { applyChanges } from './apply'
import { readTextFile } from './textfile'

/** The editor of a content. */
export interface Editor<C> {
  /** The current content; a new object after every edit. */
  readonly content: C
  /** Whether it differs from the saved content. */
  readonly dirty: boolean
  /** Shows the saved content; `undoable` keeps the previous one in the undo history. */
  load(content: C, undoable: boolean): void
  /** Replaces the content without saving. */
  replace(content: C): void
  /** Marks a content as saved. */
  markSaved(content: C): void
}

/** What differs between shared files. */
export interface Options<C> {
  /** The saved content; undefined while it is loading. */
  saved(): C | undefined
  equal(a: C, b: C): boolean
  /** The upload limit. */
  maxBytes: number
  /** The content of an uploaded text; undefined after it has shown why the text is invalid. */
  parse(text: string, name: string): C | undefined | Promise<undefined>
  /** Saves a content that was edited from `base`. */
  save(content: C, base: C): Promise<unknown>
  /** Resets to the built-in content and returns it. */
  reset(): Promise<C | undefined>
  validate(): void
  words: {
    leaving: string
    loaded(name: string, content: C): string
    saved(content: C): string
    resetDone: string
    resetUndone: string
  }
}

/** Create it during component initialisation. */
export class SharedFile<C> {
  /** Undefined until the editor exists. */
  editor = $state.raw<Editor<C>>()
  /** The saved content that the edits started from. */
  #base = $state.raw<C>()
  resetting = $state(false)
  readonly #saved = $derived.by(() => this.options.saved())
  readonly dirty = $derived.by(() => this.editor?.dirty ?? false)
  /** Whether the saved content has changed since the edits started. */
  readonly changedElsewhere = $derived.by(() => this.dirty && !this.#isBase(this.#saved))

  constructor(readonly options: Options<C>) {
    // Shows the saved content, at first and whenever it changes, unless there are unsaved edits.
    $effect(() => {
      const saved = this.#saved
      if (saved === undefined || !this.editor) return
      untrack(() => {
        const first = this.#base === undefined
        if (first || (!this.#isBase(saved) && !this.dirty)) this.#load(saved, !first)
      })
    })
    $effect(() => guardNavigation(() => (this.dirty ? options.words.leaving : undefined)))
  }

  #isBase(saved: C | undefined) {
    return saved === undefined || this.#base === undefined || this.options.equal(saved, this.#base)
  }

  #load(content: C, undoable = true) {
    this.#base = content
    this.editor?.load(content, undoable)
  }

  /** Discards the edits in favour of the saved content. */
  loadSaved() {
    if (this.#saved !== undefined) this.#load(this.#saved)
  }

  #replace(content: C, text: string) {
    const before = this.editor!.content
    this.editor!.replace(content)
    toast('note', text, { action: { label: words.undo, run: () => this.editor?.replace(before) } })
  }

  async upload(file: File) {
    try {
      const content = await this.options.parse(await readTextFile(file, this.options.maxBytes), file.name)
      if (content !== undefined) this.#replace(content, this.options.words.loaded(file.name, content))
    } catch (e) {
      toast('bad', errorText(e))
    }
  }

  discard() {
    this.#replace(this.#base!, 'Changes discarded.')
  }

  /** Saves; `apply` then restarts the generator. */
  async save(apply: boolean) {
    const content = this.editor!.content
    try {
      await this.options.save(content, this.#base!)
      this.#base = content
      this.editor?.markSaved(content)
      toast('good', this.options.words.saved(content))
      if (apply) await applyChanges()
    } catch (e) {
      toastError(e)
      this.options.validate()
    }
  }

  async reset() {
    const saved = this.#base!
    const edited = this.dirty ? this.editor!.content : undefined
    this.resetting = true
    try {
      const builtIn = await this.options.reset()
      if (builtIn !== undefined) this.#load(builtIn)
      const undo = () => void this.#undoReset(saved, edited)
      toast('note', this.options.words.resetDone, { action: { label: words.undo, run: undo } })
    } catch (e) {
      toastError(e)
    } finally {
      this.resetting = false
    }
  }

  async #undoReset(saved: C, edited: C | undefined) {
    try {
      await this.options.save(saved, saved)
      this.#load(saved)
      if (edited !== undefined) this.editor?.replace(edited)
      toast('good', this.options.words.resetUndone)
    } catch (e) {
      toastError(e)
    }
  }
}
