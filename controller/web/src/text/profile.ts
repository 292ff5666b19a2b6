// Load profiles: how the rate changes with time.
import { count, rate, duration } from './numbers'

const two = (n: number) => String(n).padStart(2, '0')

export const profile = {
  kind: 'Kind of profile',
  kinds: [
    ['constant', 'Constant'],
    ['week', 'Day and week'],
    ['stages', 'Stages'],
  ] as const,
  stages: {
    title: 'Stages',
    duration: 'For',
    from: 'From, visits/day',
    to: 'To, visits/day',
    of: (n: number, what: string) => `Stage ${n}: ${what}`,
    add: 'Add stage',
    remove: (n: number) => `Remove stage ${n}`,
    help: 'Times such as 30s, 10m, 1h30m. Without “to” the rate is held. After the last stage the run ends.',
  },
  curve: {
    unused: 'Used by the profile “Day and week” and by backfills.',
    every: 'The days',
    kinds: [
      ['day', 'All alike'],
      ['week', 'Each its own'],
    ] as const,
    day: 'Day to edit',
    bars: (day: string) => `Weights of the hours, ${day}`,
    anyDay: 'every day',
    days: ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'],
    shortDays: ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'],
    clock: (hour: number) => `${two(hour)}:00`,
    hour: (hour: number) => `${two(hour)}:00 to ${two(hour + 1)}:00`,
    weight: (hour: number) => `Weight of ${two(hour)}:00`,
    help: 'Draw over the bars, or choose an hour with ← → and change it with ↑ ↓. Only proportions count: the mean day has the visits per day.',
    copy: (day: string) => `Copy ${day} to all days`,
    reset: 'Reset to the typical site',
    typical: 'A typical site; the first change writes it out as numbers.',
    placeholder: 'A typical site',
    unreadable: 'Give 24 or 168 numbers, or nothing for a typical site.',
  },
  drawing: {
    title: 'The load over time',
    label: 'Planned rate of visits over time',
    planned: 'Planned visits',
    unit: 'visits per second',
    unreadable: 'Cannot be drawn until the settings are in order.',
    perSecond: (n: string) => `${n}/s`,
    visits: (n: number, seconds: number) => `${count(n)} visits in ${duration(seconds)}`,
    ends: (seconds: number) => `The run ends after ${duration(seconds)}.`,
    endless: 'It continues until the run is stopped or a limit is reached.',
    peak: (n: number) => `at most ${rate(n)} visits/s`,
    /** A span on the axis: 1 h 30 min, 10 min. */
    tick: (seconds: number) => duration(seconds).replace(/(\d+ \S+) 0 \S+$/, '$1'),
    at: (seconds: number) => `after ${duration(seconds)}`,
    now: 'now',
  },
  run: {
    title: 'Load profile',
    scaled: (share: string) => `at ${share} of its rate`,
  },
}
