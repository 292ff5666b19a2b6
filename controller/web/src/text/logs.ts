import { count } from './numbers'

const lines = (n: number) => (n === 1 ? '1 line' : `${count(n)} lines`)

// The logs page.
export const logs = {
  level: 'Level',
  levels: { '': 'All levels', INFO: 'Info and above', WARNING: 'Warnings and errors', ERROR: 'Errors only' },
  levelHelp: 'Lines without a level are always shown.',
  target: 'Target',
  allTargets: 'All targets',
  filter: 'Filter',
  filterPlaceholder: 'Search text',
  count: 'History',
  lastLines: (n: number) => `Last ${lines(n)}`,
  wrap: 'Wrap lines',
  pause: 'Pause',
  resume: 'Resume',
  resumeWith: (n: number) => `Resume · ${count(n)} new`,
  copy: 'Copy',
  copied: (n: number) => `${lines(n)} copied.`,
  notCopied: 'The browser blocked copying. Use Download instead.',
  download: 'Download',
  clear: 'Clear',
  log: 'Generator log',
  shown: (n: number) => `${lines(n)} shown`,
  paused: 'Paused, buffering new lines',
  limited: (n: number) => `Limited to the latest ${count(n)}.`,
  latest: 'Latest',
  newLines: (n: number) => (n === 1 ? '1 new line' : `${count(n)} new lines`),
  connection: {
    connecting: 'Connecting…',
    live: 'Live',
    lost: 'Disconnected, reconnecting…',
  },
  historyFailed: 'Could not load earlier lines',
  empty: 'No log lines yet.',
  toDashboard: 'Start a run from the dashboard',
  noMatch: 'No lines match. New matching lines will appear here.',
  showAll: 'Show all lines',
  cleared: 'View cleared. New lines will appear here; the log itself is unchanged.',
  reload: (n: number) => `Show the last ${lines(n)}`,
}
