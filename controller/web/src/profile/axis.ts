// The axis of a profile's drawing: spans since the beginning, or days and hours of the clock where the profile goes by it.
import type { Mark } from '../charts/LineChart.svelte'
import { dateFormatter } from '../ui/timezone'

const [minute, hour, day] = [60, 3600, 86_400]
const steps = [5, 15, 30, minute, 5 * minute, 10 * minute, 15 * minute, 30 * minute]
  .concat([1, 2, 3, 6, 12].map((n) => n * hour))
  .concat([1, 2, 7, 14, 28].map((n) => n * day))

/** About this many words fit below a drawing. */
const most = 8

/** Marks at round spans up to `seconds`; `write` makes the words. */
export function spans(seconds: number, write: (seconds: number) => string): Mark[] {
  const step = steps.find((s) => seconds / s <= most) ?? steps.at(-1)!
  return Array.from({ length: Math.floor(seconds / step) + 1 }, (_, i) => ({ at: i * step, text: write(i * step) }))
}

/** Marks at every midnight of the zone within `seconds` from `start` in Unix seconds; where days are few, at noon too. */
export function midnights(start: number, seconds: number, zone: string): Mark[] {
  const hourOf = dateFormatter(zone, { hour: '2-digit', hourCycle: 'h23' }, 'en-GB')
  const dayOf = dateFormatter(zone, { weekday: 'short' })
  const out: Mark[] = []
  // Zones are whole quarters of an hour from UTC.
  for (let t = Math.ceil(start / (hour / 4)) * (hour / 4); t <= start + seconds; t += hour / 4) {
    if (hourOf(t * 1000) === '00' && hourOf((t - hour / 4) * 1000) !== '00')
      out.push({ at: t - start, text: dayOf(t * 1000) })
  }
  return out
}
