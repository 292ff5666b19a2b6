// The form of a backfill: texts by setting, with a date range of one kind.
import { dateFormatter } from '../ui/timezone'
import { keys } from '../text'

/** How the date range is given: days before today, or two dates. */
export type Mode = 'relative' | 'dates'

export type Form = { mode: Mode; name: string; texts: Record<string, string> }

export const windows = { relative: keys.days, dates: keys.date } as const

/** The limits and the shape of a backfill, in the order of the form. */
export const options = [...keys.backfill, keys.trend] as const

/** The `days` days before today. */
export const relativeWindow = (days: number) => Object.fromEntries(keys.days.map((key) => [key, String(days)]))

/** The last seven days. */
export const fresh = (): Form => ({ mode: 'relative', name: '', texts: relativeWindow(7) })

/** The form; it stays as it was left while other pages are shown. */
export const draft = $state<{ form: Form }>({ form: fresh() })

/** The body of a request; settings that are left empty have their defaults. */
export function body(form: Form): Record<string, string> {
  const texts = [...windows[form.mode], ...options].map((key) => [key, form.texts[key]?.trim() ?? ''])
  return Object.fromEntries([...texts, ['name', form.name.trim()]].filter(([, text]) => text))
}

/** The form of an earlier request; keys may lack the prefix BACKFILL_. */
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

/** A time's date in a time zone, as date inputs take it; in the browser's time zone if it is unknown. */
export function today(zone: string, now: number): string {
  const parts = { year: 'numeric', month: '2-digit', day: '2-digit' } as const
  try {
    return dateFormatter(zone, parts, 'en-CA')(now)
  } catch {
    return new Intl.DateTimeFormat('en-CA', parts).format(now)
  }
}
