// The editor of the page list; with theme.ts the only file that imports CodeMirror.
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

/** CodeMirror's phrases, capitalised like the rest of the interface. */
const phrases = {
  ...{ next: 'Next', previous: 'Previous', all: 'All', replace: 'Replace', 'replace all': 'Replace all' },
  ...{ 'match case': 'Match case', regexp: 'Pattern', 'by word': 'Whole words', close: 'Close', go: 'Go' },
  ...{ Diagnostics: 'Problems', 'No diagnostics': 'No problems' },
}

export type Editor = ReturnType<typeof openEditor>

type Options = {
  label: string
  /** The id of the element with instructions. */
  describedBy: string
  onchange: () => void
}

/** The editor's representation of a list. */
export const textOf = (content: string) => Text.of(content.split(/\r\n?|\n/))

/** The number of lines; an empty last one does not count. */
export const linesOf = (doc: Text) => (doc.line(doc.lines).length ? doc.lines : doc.lines - 1)

/** Opens an editor in `parent`. Tab moves the focus out of it. */
export function openEditor(parent: HTMLElement, { label, describedBy, onchange }: Options) {
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
    /** The current list; a new object after every edit. */
    get content() {
      return view.state.doc
    },
    get dirty() {
      return !view.state.doc.eq(saved)
    },
    /** Shows the saved list; `undoable` keeps the previous one in the undo history. */
    load(content: Text, undoable: boolean) {
      saved = content
      if (!view.state.doc.eq(saved)) replaceDoc(saved, undoable)
      onchange()
    },
    /** Replaces the list without saving; undo restores it. */
    replace: (content: Text) => replaceDoc(content, true),
    /** Marks a list as saved. */
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
