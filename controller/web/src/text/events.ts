import { count } from './numbers'

const some = (n: number) => (n === 1 ? '1 event' : `${count(n)} events`)

// The events that visitors cause.
export const events = {
  intro:
    'What visitors do on a page beside reading it. Browsing visits draw one of these; funnels have events of their own.',
  custom: 'Your events',
  default: 'Built-in events',
  lists: { click_events: 'Click events', random_events: 'Random events' },
  listHelp: {
    click_events: 'Something the visitor clicked, such as a menu or a tab.',
    random_events: 'Something that happened, such as an error or a scroll to the end.',
  },
  events: some,
  probability: {
    click_events: 'Share of visits with a click event',
    random_events: 'Share of visits with a random event',
    help: (key: string) => `The setting ${key}, 0 to 1; the Configuration page has it too.`,
  },
  fields: { category: 'Category', action: 'Action', name: 'Name', value: 'Value' },
  optional: 'none',
  /** What a row is called, for those who hear it. */
  row: (n: number, name: string) => (name ? `event ${n}, ${name}` : `event ${n}`),
  cell: (field: string, n: number) => `${field} of event ${n}`,
  add: 'Add event',
  duplicate: (row: string) => `Duplicate ${row}`,
  delete: (row: string) => `Delete ${row}`,
  deleted: (name: string) =>
    name ? `“${name}” was deleted. Save to make it last.` : 'The event was deleted. Save to make it last.',
  empty: 'No events: visits cause none of this kind.',
  stats: 'By category',
  categories: (n: number) => (n === 1 ? '1 category' : `${count(n)} categories`),
  noCategory: '(no category)',
  leaving: 'The events have unsaved edits.',
  loaded: (name: string, n: number) => `“${name}” is in the table (${some(n)}). It is not saved yet.`,
  notLoaded: (name: string) => `“${name}” cannot be shown as a table.`,
  saved: (n: number) => `${some(n)} saved.`,
  resetDone: 'The built-in events are in use. The two shares stay as they are.',
  resetUndone: 'Your events are back.',
}
