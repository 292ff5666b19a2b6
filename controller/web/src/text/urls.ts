import { count } from './numbers'

const lineCount = (n: number) => (n === 1 ? '1 line' : `${count(n)} lines`)
const pages = (n: number) => (n === 1 ? '1 page' : `${count(n)} pages`)

// The URLs page.
export const urls = {
  intro:
    'Pages to visit, one per line; pages near the top are visited more often. Add a page title after a TAB or two spaces. Lines starting with # are comments.',
  custom: 'Your list',
  default: 'Built-in list',
  list: 'Page list',
  /** For screen readers. */
  editorHelp: 'Tab leaves the editor. Ctrl/Cmd+F searches, F8 goes to the next problem, Ctrl/Cmd+Alt+G goes to a line.',
  search: 'Search',
  downloadHelp: 'Download the saved list',
  lines: lineCount,
  pages,
  problems: 'Problems',
  error: 'Error',
  warning: 'Warning',
  line: (n: number) => `Line ${count(n)}`,
  wholeList: 'Whole list',
  moreProblems: (n: number) => `Show ${count(n)} more`,
  leaving: 'The page list has unsaved changes.',
  loaded: (name: string, lines: number) => `“${name}” loaded (${lineCount(lines)}). Not saved yet.`,
  saved: (n: number) => `${pages(n)} saved.`,
  resetDone: 'Built-in pages restored.',
  resetUndone: 'Your list was restored.',
  structure: {
    title: 'Structure',
    help: 'Of the list in the editor.',
    stale: 'Outdated: fix the errors in the list to update it.',
    none: 'Shown once the list has pages and no errors.',
    domains: 'Domains',
    categories: 'Categories',
    categoriesHelp: 'First path segment; expand to see the second.',
    subcategories: 'Subcategories',
    pages: 'Pages',
    all: (n: number) => `Show all ${count(n)}`,
    fewer: 'Show fewer',
    more: (n: number) => `and ${count(n)} more`,
    flat: 'No subcategories',
  },
  /** Translations of CodeMirror's phrases. */
  editor: {
    Find: 'Find',
    Replace: 'Replace',
    next: 'Next',
    previous: 'Previous',
    all: 'All',
    'match case': 'Match case',
    regexp: 'Pattern',
    'by word': 'Whole words',
    replace: 'Replace',
    'replace all': 'Replace all',
    close: 'Close',
    'current match': 'current match',
    'on line': 'on line',
    'replaced $ matches': 'replaced $ matches',
    'replaced match on line $': 'replaced match on line $',
    'Go to line': 'Go to line',
    go: 'Go',
    'Control character': 'Control character',
    'Selection deleted': 'Selection deleted',
    Diagnostics: 'Problems',
    'No diagnostics': 'No problems',
  },
}
