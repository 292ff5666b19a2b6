// The form of a backfill: texts by setting, of which the window's are of one kind at a time.
import { dateFormatter } from '../ui/timezone'
import { keys } from '../text'

/** How the window is given: days before today, or two dates. */
export type Mode = 'relative' | 'dates'

export type Form = { mode: Mode; name: string; texts: Record<string, string> }

export const windows = { relative: keys.days, dates: keys.date } as const

/** The limits and the shape of a backfill, in the order of the form. */
export const options = [...keys.backfill, keys.trend] as const

/** The last seven whole days. */
export const fresh = (): Form => ({
  mode: 'relative',
  name: '',
  texts: relativeWindow(7),
})

/** The `days` days before today. */
export const relativeWindow = (days: number) => Object.fromEntries(keys.days.map((key) => [key, String(days)]))

/** What is sent: the window of the mode that is chosen, and what else was written. Empty ones take their default. */
export function body(form: Form): Record<string, string> {
  const out: Record<string, string> = {}
  for (const key of [...windows[form.mode], ...options]) {
    const text = form.texts[key]?.trim()
    if (text) out[key] = text
  }
  if (form.name.trim()) out.name = form.name.trim()
  return out
}

/** The form that sends what was sent before; keys may lack their beginning. */
export function formOf(payload: Record<string, unknown>): Form {
  const texts: Record<string, string> = {}
  for (const [key, value] of Object.entries(payload)) {
    const name = key.startsWith('BACKFILL_') ? key : `BACKFILL_${key}`
    if (value !== null && value !== undefined && settings.includes(name)) texts[name] = String(value)
  }
  const name = typeof payload.name === 'string' ? payload.name : ''
  return { mode: windows.dates.some((key) => texts[key]) ? 'dates' : 'relative', name, texts }
}

export const settings: readonly string[] = [...Object.values(windows).flat(), ...options]

/** The day of a moment in a time zone, as date inputs have it; that of the browser where the zone is unknown. */
export function today(zone: string, now: number): string {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  try {
    return dateFormatter(zone, parts, 'en-CA')(now)
  } catch {
    return new Intl.DateTimeFormat('en-CA', parts).format(now)
  }
}
