import { count } from './numbers'

const some = (n: number) => (n === 1 ? '1 event' : `${count(n)} events`)

// The events page.
export const events = {
  intro: 'Events that browsing visits trigger at random. Funnels define their own.',
  custom: 'Your events',
  default: 'Built-in events',
  lists: { click_events: 'Click events', random_events: 'Random events' },
  listHelp: {
    click_events: 'Clicks, such as on a menu or tab.',
    random_events: 'Other events, such as an error or a scroll to the end.',
  },
  events: some,
  probability: {
    click_events: 'Share of visits with a click event',
    random_events: 'Share of visits with a random event',
    help: (key: string) => `0 to 1. Also on the Configuration page (${key}).`,
  },
  fields: { category: 'Category', action: 'Action', name: 'Name', value: 'Value' },
  optional: 'Optional',
  /** The accessible name of a row. */
  row: (n: number, name: string) => (name ? `event ${n}, ${name}` : `event ${n}`),
  cell: (field: string, n: number) => `${field} of event ${n}`,
  add: 'Add event',
  duplicate: (row: string) => `Duplicate ${row}`,
  delete: (row: string) => `Delete ${row}`,
  deleted: (name: string) => `${name ? `“${name}”` : 'Event'} deleted. Save to apply.`,
  empty: 'No events of this kind.',
  stats: 'By category',
  categories: (n: number) => (n === 1 ? '1 category' : `${count(n)} categories`),
  noCategory: '(no category)',
  leaving: 'The events have unsaved changes.',
  loaded: (name: string, n: number) => `“${name}” loaded (${some(n)}). Not saved yet.`,
  notLoaded: (name: string) => `“${name}” is not a valid events file.`,
  saved: (n: number) => `${some(n)} saved.`,
  resetDone: 'Built-in events restored. The two shares are unchanged.',
  resetUndone: 'Your events were restored.',
}
