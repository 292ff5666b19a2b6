// The editor of the list of pages: the only file that knows the library behind it.
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { lintGutter, lintKeymap, setDiagnostics } from '@codemirror/lint'
import { highlightSelectionMatches, openSearchPanel, search, searchKeymap } from '@codemirror/search'
import { EditorState, Text, Transaction } from '@codemirror/state'
import {
  drawSelection,
  dropCursor,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from '@codemirror/view'
import { theme, parts } from './theme'
import type { Problem } from './problems'

export type Editor = ReturnType<typeof openEditor>

type Options = {
  label: string
  /** The id of the element that says how to use it. */
  describedBy: string
  /** The library's own words by its English ones. */
  phrases: Record<string, string>
  onchange: () => void
}

/** A list as the editor holds it. */
export const textOf = (content: string) => Text.of(content.split(/\r\n?|\n/))

/** Lines as files count them: the empty one after the last line end is none. */
export const linesOf = (doc: Text) => (doc.line(doc.lines).length ? doc.lines : doc.lines - 1)

/** Opens an editor in `parent`. Tab is left to the page, so that the keyboard gets out again. */
export function openEditor(parent: HTMLElement, { label, describedBy, phrases, onchange }: Options) {
  const view = new EditorView({
    parent,
    state: EditorState.create({
      extensions: [
        lineNumbers(),
        lintGutter(),
        highlightActiveLineGutter(),
        highlightActiveLine(),
        history(),
        drawSelection(),
        dropCursor(),
        search({ top: true }),
        highlightSelectionMatches(),
        keymap.of([...searchKeymap, ...lintKeymap, ...historyKeymap, ...defaultKeymap]),
        parts,
        theme,
        EditorState.phrases.of(phrases),
        EditorView.contentAttributes.of({ tabindex: '0', 'aria-label': label, 'aria-describedby': describedBy }),
        EditorView.updateListener.of((u) => u.docChanged && onchange()),
      ],
    }),
  })
  let saved: Text = view.state.doc

  const replaceDoc = (doc: Text, keepsHistory: boolean) =>
    view.dispatch({
      changes: { from: 0, to: view.state.doc.length, insert: doc },
      selection: { anchor: 0 },
      scrollIntoView: true,
      annotations: keepsHistory ? [] : Transaction.addToHistory.of(false),
    })

  return {
    /** The list as it stands, with \n at the line ends; another object after every edit. */
    get content() {
      return view.state.doc
    },
    get dirty() {
      return !view.state.doc.eq(saved)
    },
    /** Shows what is saved; `undoable` lets a person go back to what was there. */
    load(content: Text, undoable: boolean) {
      saved = content
      if (!view.state.doc.eq(saved)) replaceDoc(saved, undoable)
      onchange()
    },
    /** Puts an unsaved list in the place of the one there; it can be undone. */
    replace: (content: Text) => replaceDoc(content, true),
    /** Takes a content for what is saved now. */
    markSaved(content: Text) {
      saved = content
      onchange()
    },
    mark(problems: Problem[]) {
      const { doc } = view.state
      const marks = problems
        .filter((p) => p.line && p.line <= doc.lines)
        .map(({ line, severity, message }) => ({ ...doc.line(line!), severity, message }))
      view.dispatch(setDiagnostics(view.state, marks))
    },
    goTo(line: number) {
      const { from, to } = view.state.doc.line(Math.min(line, view.state.doc.lines))
      view.dispatch({
        selection: { anchor: from, head: to },
        effects: EditorView.scrollIntoView(from, { y: 'center' }),
      })
      view.focus()
    },
    search: () => openSearchPanel(view),
    close: () => view.destroy(),
  }
}
