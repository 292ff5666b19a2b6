// An editor without a page, for tests.
import type { Editor } from './SharedFile.svelte'

export function make(initial: string) {
  let saved = $state(initial)
  let content = $state('')
  let kept = $state('')
  const shown: [content: string, undoable: boolean][] = []
  const surface: Editor<string> = {
    get content() {
      return content
    },
    get dirty() {
      return content !== kept
    },
    load(text, undoable) {
      content = kept = text
      shown.push([text, undoable])
    },
    put: (text) => (content = text),
    keep: (text) => (kept = text),
  }
  return {
    surface,
    /** What was loaded into it. */
    shown,
    type: (text: string) => (content = text),
    get saved() {
      return saved
    },
    set saved(text) {
      saved = text
    },
    root: (setup: () => void) => $effect.root(setup),
  }
}
