// A line of the log.
import type { Schemas } from '../api/client'

export type Line = Schemas['LauncherLine']

const text = /^(?:time=\S+ level=\w+ )?msg=("(?:[^"\\]|\\.)*"|\S*) ?(.*)$/s

/** The message of a line and its other attributes, without time and level. */
export function partsOf(line: string): { message: string; rest: string } {
  const m = text.exec(line)
  if (!m) return { message: line, rest: '' }
  return { message: unquoted(m[1] ?? ''), rest: m[2] ?? '' }
}

function unquoted(word: string): string {
  if (!word.startsWith('"')) return word
  try {
    return JSON.parse(word)
  } catch {
    // Go has escapes that JSON does not have.
    return word
  }
}

/** Whether time `a` is after `b`; both are in UTC, with varying numbers of digits. */
export const after = (a: string, b: string) => a.slice(0, -1) > b.slice(0, -1)

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

/** The time of day in the browser's time zone, to the millisecond. */
export const timeOfDay = (rfc3339: string) => clock.format(new Date(rfc3339))

/** The lines as a text file. */
export const asText = (lines: Line[]) => lines.map((l) => `${l.time} ${l.text}\n`).join('')
