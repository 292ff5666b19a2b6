import { count } from './numbers'

const pages = (n: number) => (n === 1 ? '1 page' : `${count(n)} pages`)

// The pages that visitors see.
export const urls = {
  intro:
    'The pages that visitors see, one a line; those nearer the top are visited more often. After the address may stand a TAB or two spaces and a title. A line that begins with # is a comment.',
  custom: 'Your list',
  default: 'Built-in list',
  list: 'List of pages',
  /** For those who hear the editor. */
  editorHelp:
    'Tab leaves the editor. Ctrl or Cmd with F searches, F8 goes to the next problem, Ctrl or Cmd with Alt and G to a line.',
  search: 'Search',
  downloadHelp: 'Downloads the list as it is saved',
  lines: (n: number) => (n === 1 ? '1 line' : `${count(n)} lines`),
  pages,
  problems: 'Problems',
  error: 'Error',
  warning: 'Warning',
  line: (n: number) => `Line ${count(n)}`,
  wholeList: 'Whole list',
  moreProblems: (n: number) => `Show ${count(n)} more`,
  leaving: 'The list of pages has unsaved edits.',
  loaded: (name: string, lines: number) =>
    `“${name}” is in the editor (${lines === 1 ? '1 line' : `${count(lines)} lines`}). It is not saved yet.`,
  saved: (n: number) => `${pages(n)} saved.`,
  resetDone: 'The built-in pages are in use.',
  resetUndone: 'Your list is back.',
  structure: {
    title: 'Structure',
    help: 'Of the list in the editor.',
    stale: 'From before the errors in the list; it is counted again when they are corrected.',
    none: 'It is counted as soon as the list has pages and no errors.',
    domains: 'Domains',
    categories: 'Categories',
    categoriesHelp: 'First part of the path; open one for the second part.',
    subcategories: 'Subcategories',
    pages: 'Pages',
    all: (n: number) => `Show all ${count(n)}`,
    fewer: 'Show fewer',
    more: (n: number) => `and ${count(n)} more`,
    flat: 'No second path parts',
  },
  /** The words of the editor's own parts, by its English ones. */
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
