// An editor without a page, for tests.
import type { Editor } from './SharedFile.svelte'

export function fakeEditor(initial: string) {
  let saved = $state(initial)
  let content = $state('')
  let base = $state('')
  const loaded: [content: string, undoable: boolean][] = []
  const editor: Editor<string> = {
    get content() {
      return content
    },
    get dirty() {
      return content !== base
    },
    load(text, undoable) {
      content = base = text
      loaded.push([text, undoable])
    },
    replace: (text) => (content = text),
    markSaved: (text) => (base = text),
  }
  return {
    editor,
    /** The arguments of all calls of load. */
    loaded,
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
