// What Matomo recorded of a run.
import { money, count, timestamp, duration } from './numbers'

const figure = (n: number) => (Number.isInteger(n) ? count(n) : money(n))

export const reconcile = {
  title: 'Recorded by Matomo',
  about: 'Asks each Matomo what it recorded of this run and sets that beside the ledger. Nothing is sent.',
  start: 'Reconcile',
  again: 'Reconcile again',
  cancel: 'Give up',
  states: {
    following: 'Following the run',
    waiting: 'Waiting',
    done: 'Done',
    cancelled: 'Given up',
  } as Record<string, string>,
  waitingFor: (what: string) => `Waits for ${what}.`,
  until: (at: string) => `At the latest at ${timestamp(at)}.`,
  taken: (at: string) => `Asked at ${timestamp(at)}.`,
  slices: {
    dimension: 'Told apart by its own custom dimension',
    site: 'All that the site has on these days',
    difference: 'What the site has now, less what it had before the run',
  } as Record<string, string>,
  site: (id: number) => `site ${id}`,
  freshness: (seconds: number) => `Visits were visible ${duration(seconds)} after they were sent.`,
  columns: { what: 'What', sent: 'Sent', recorded: 'Recorded', share: 'Recorded of sent', verdict: 'Verdict' },
  groups: { total: '', day: 'Day', country: 'Country', source: 'Source', device: 'Device' } as Record<string, string>,
  more: (n: number) => `${count(n)} more rows by day, country, source and device`,
  equal: 'equal',
  short: (n: number, share: string) => `short by ${figure(-n)} (${share})`,
  tooMany: (n: number) => `more by ${figure(n)}`,
  notArchived: 'not archived',
  incomparable: 'not comparable',
  figure,
  verdicts: {
    equal: 'Everything that was accepted was recorded',
    short: 'Hits are missing',
    more: 'More was recorded than was sent, and nothing explains it',
    not_asked: 'Matomo could not be asked',
    not_archived: 'The raw log holds what was sent; the reports do not show it yet',
    incomparable: 'What was recorded cannot be compared with what was sent',
  } as Record<string, string>,
  parts: (parts: { name: string; visits: number; hits: number }[]) =>
    `Several targets lead to this site, and Matomo does not tell their visits apart: ${parts
      .map((p) => `${p.name} ${count(p.visits)} visits, ${count(p.hits)} hits`)
      .join('; ')}.`,
  causes: 'Likely causes',
  annotate: 'Note in Matomo’s graph',
  annotateHelp: 'Writes begin and end of this run into the graph of each target.',
  annotated: (n: number) => (n === 1 ? 'A note was written.' : `${count(n)} notes were written.`),
}
