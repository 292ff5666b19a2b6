import { count } from './numbers'

const lines = (n: number) => (n === 1 ? '1 line' : `${count(n)} lines`)

// The generator's log.
export const logs = {
  level: 'Level',
  levels: { '': 'All levels', INFO: 'Info and worse', WARNING: 'Warnings and errors', ERROR: 'Errors only' },
  levelHelp: 'Lines without a level, such as the table at the end of a run, are always shown.',
  target: 'Target',
  allTargets: 'All targets',
  filter: 'Filter',
  filterPlaceholder: 'Text in the line',
  count: 'Begin with',
  lastLines: (n: number) => `Last ${lines(n)}`,
  wrap: 'Wrap',
  pause: 'Pause',
  resume: 'Resume',
  resumeWith: (n: number) => `Resume · ${count(n)} new`,
  copy: 'Copy',
  copied: (n: number) => `${lines(n)} copied.`,
  notCopied: 'The browser does not let the page copy. Use Download.',
  download: 'Download',
  clear: 'Clear',
  log: 'Log of the generator',
  shown: (n: number) => `${lines(n)} shown`,
  paused: 'Paused; nothing is lost, new lines wait.',
  bounded: (n: number) => `Only the newest ${count(n)} are kept here.`,
  newest: 'Newest',
  newLines: (n: number) => (n === 1 ? '1 new line' : `${count(n)} new lines`),
  connection: {
    connecting: 'Connecting…',
    live: 'Live',
    lost: 'Stream lost; trying again. What is missed will be fetched.',
  },
  unread: 'The lines before now could not be read',
  nothing: 'Nothing has been logged yet. Lines appear here as soon as the generator writes one.',
  start: 'Go to the dashboard to start it',
  noMatch: 'No line matches. New ones that do will appear here.',
  showAll: 'Show all lines',
  cleared: 'The view was cleared. New lines appear here; the log itself is unchanged.',
  again: (n: number) => `Show the last ${lines(n)} again`,
}
