// A file of the exchange folder in an editor: what is saved, what is edited, and the ways between the two.
import { untrack } from 'svelte'
import { applyChanges } from './apply'
import { readTextFile } from './textfile'
import { errorText, toastError } from '../errors'
import { guardNavigation, toast } from '../ui'
import { words } from '../text'

/** Where a content is shown and edited. */
export interface Editor<C> {
  /** What is in it; another object after every edit. */
  readonly content: C
  /** It differs from what was loaded or kept last. */
  readonly dirty: boolean
  /** Shows what is saved; `undoable` lets a person go back to what was there. */
  load(content: C, undoable: boolean): void
  /** Puts an unsaved content in the place of the one there. */
  put(content: C): void
  /** Takes a content for what is saved now. */
  keep(content: C): void
}

/** What is particular about a file. */
export interface Kind<C> {
  /** What is saved; undefined until it is read. */
  saved(): C | undefined
  same(a: C, b: C): boolean
  /** The largest file that the server takes, in bytes. */
  most: number
  /** The content of an uploaded text; undefined where it is none, which is then told. */
  parse(text: string, name: string): C | undefined | Promise<undefined>
  /** Saves, as a change of `base`. */
  send(content: C, base: C): Promise<unknown>
  /** Goes back to what is built in, and returns it. */
  reset(): Promise<C | undefined>
  /** Has what is in the editor checked again. */
  check(): void
  words: {
    leaving: string
    loaded(name: string, content: C): string
    saved(content: C): string
    resetDone: string
    resetUndone: string
  }
}

/** Make it while a component is set up. */
export class SharedFile<C> {
  /** Undefined until there is an editor. */
  surface = $state.raw<Editor<C>>()
  /** What the editor took for saved last. */
  #base = $state.raw<C>()
  resetting = $state(false)
  readonly #saved = $derived.by(() => this.kind.saved())
  readonly dirty = $derived.by(() => this.surface?.dirty ?? false)
  /** What is saved is no longer what the edits began with. */
  readonly changedElsewhere = $derived.by(() => this.dirty && !this.#isBase(this.#saved))

  constructor(readonly kind: Kind<C>) {
    // Shows what is saved, at first and whenever it changes, unless that would take edits away.
    $effect(() => {
      const saved = this.#saved
      if (saved === undefined || !this.surface) return
      untrack(() => {
        const first = this.#base === undefined
        if (first || (!this.#isBase(saved) && !this.dirty)) this.#load(saved, !first)
      })
    })
    $effect(() => guardNavigation(() => (this.dirty ? kind.words.leaving : undefined)))
  }

  #isBase(saved: C | undefined) {
    return saved === undefined || this.#base === undefined || this.kind.same(saved, this.#base)
  }

  #load(content: C, undoable = true) {
    this.#base = content
    this.surface?.load(content, undoable)
  }

  /** Shows what is saved in the place of the edits. */
  loadSaved() {
    if (this.#saved !== undefined) this.#load(this.#saved)
  }

  #put(content: C, text: string) {
    const before = this.surface!.content
    this.surface!.put(content)
    toast('note', text, { action: { label: words.undo, run: () => this.surface?.put(before) } })
  }

  async upload(file: File) {
    try {
      const content = await this.kind.parse(await readTextFile(file, this.kind.most), file.name)
      if (content !== undefined) this.#put(content, this.kind.words.loaded(file.name, content))
    } catch (e) {
      toast('bad', errorText(e))
    }
  }

  discard() {
    this.#put(this.#base!, words.sharedFile.discarded)
  }

  /** Saves, and then restarts the generator where `use`. */
  async save(use: boolean) {
    const sent = this.surface!.content
    try {
      await this.kind.send(sent, this.#base!)
      this.#base = sent
      this.surface?.keep(sent)
      toast('good', this.kind.words.saved(sent))
      if (use) await applyChanges()
    } catch (e) {
      toastError(e)
      this.kind.check()
    }
  }

  async reset() {
    const saved = this.#base!
    const edited = this.dirty ? this.surface!.content : undefined
    this.resetting = true
    try {
      const fresh = await this.kind.reset()
      if (fresh !== undefined) this.#load(fresh)
      const undo = () => void this.#undoReset(saved, edited)
      toast('note', this.kind.words.resetDone, { action: { label: words.undo, run: undo } })
    } catch (e) {
      toastError(e)
    } finally {
      this.resetting = false
    }
  }

  async #undoReset(saved: C, edited: C | undefined) {
    try {
      await this.kind.send(saved, saved)
      this.#load(saved)
      if (edited !== undefined) this.surface?.put(edited)
      toast('good', this.kind.words.resetUndone)
    } catch (e) {
      toastError(e)
    }
  }
}
