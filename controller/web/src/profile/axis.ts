// The time axis of a load profile: seconds since its start, or the days of a weekly one.
import type { Mark } from '../charts/LineChart.svelte'
import { dateFormatter } from '../ui/timezone'

const [minute, hour, day] = [60, 3600, 86_400]
const steps = [5, 15, 30, minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute]
  .concat([1, 2, 3, 6, 12].map((n) => n * hour))
  .concat([1, 2, 7, 14, 28].map((n) => n * day))

/** The maximum number of labels. */
const most = 8

/** Marks at round durations up to `seconds`, labelled by `write`. */
export function spans(seconds: number, write: (seconds: number) => string): Mark[] {
  const step = steps.find((s) => seconds / s <= most) ?? steps.at(-1)!
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => ({ at: i * step, text: write(i * step) }))
}

/** Marks at every midnight of the zone within `seconds` from `start`, in Unix seconds. */
export function midnights(start: number, seconds: number, zone: string): Mark[] {
  const hourOf = dateFormatter(zone, { hour: '2-digit', hourCycle: 'h23' }, 'en-GB')
  const dayOf = dateFormatter(zone, { weekday: 'short' })
  const out: Mark[] = []
  // Offsets from UTC are multiples of 15 minutes.
  for (let t = Math.ceil(start / (hour / 4)) * (hour / 4); t <= start + seconds; t += hour / 4) {
    if (hourOf(t * 1000) === '00' && hourOf((t - hour / 4) * 1000) !== '00')
      out.push({ at: t - start, text: dayOf(t * 1000) })
  }
  return out
}
