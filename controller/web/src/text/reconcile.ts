// Reconciliation: a run's summary against Matomo's figures.
import { money, count, timestamp, duration } from './numbers'

const figure = (n: number) => (Number.isInteger(n) ? count(n) : money(n))

export const reconcile = {
  title: 'Reconciliation',
  about: 'Compares this run with what each Matomo recorded. Read-only.',
  start: 'Reconcile',
  again: 'Reconcile again',
  cancel: 'Cancel',
  states: {
    following: 'Following the run',
    waiting: 'Waiting',
    done: 'Done',
    cancelled: 'Cancelled',
  } as Record<string, string>,
  waitingFor: (what: string) => `Waiting for ${what}.`,
  until: (at: string) => `Until ${timestamp(at)}.`,
  taken: (at: string) => `Checked at ${timestamp(at)}.`,
  slices: {
    dimension: 'Isolated by a custom dimension',
    site: 'All traffic of the site on these days',
    difference: 'Site totals minus a baseline taken before the run',
  } as Record<string, string>,
  site: (id: number) => `site ${id}`,
  freshness: (seconds: number) => `Visits became visible ${duration(seconds)} after they were sent.`,
  columns: { what: 'Figure', sent: 'Sent', recorded: 'Recorded', share: 'Recorded / sent', verdict: 'Result' },
  groups: { total: '', day: 'Day', country: 'Country', source: 'Source', device: 'Device' } as Record<string, string>,
  more: (n: number) => `${count(n)} more rows by day, country, source and device`,
  equal: 'equal',
  short: (n: number, share: string) => `short by ${figure(-n)} (${share})`,
  excess: (n: number) => `over by ${figure(n)}`,
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
    `Several targets send to this site, and Matomo cannot separate their visits: ${parts
      .map((p) => `${p.name} ${count(p.visits)} visits, ${count(p.hits)} hits`)
      .join('; ')}.`,
  causes: 'Likely causes',
  annotate: 'Annotate in Matomo',
  annotateHelp: 'Adds annotations for the start and end of this run to each target’s site.',
  annotated: (n: number) => (n === 1 ? '1 annotation added.' : `${count(n)} annotations added.`),
}
