// One line of the log, and how it is read.
import type { Schemas } from '../api/client'

export type Line = Schemas['LauncherLine']

const text = /^time=\S+ level=\w+ msg=("(?:[^"\\]|\\.)*"|\S*) ?(.*)$/s

/** What a line says, and the details behind it. The time and the level have fields of their own. */
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
    // Go escapes some bytes in ways that JSON does not know.
    return word
  }
}

/** Whether the moment `a` is after `b`, two times of the API in UTC with as many digits as they need. */
export const after = (a: string, b: string) => a.slice(0, -1) > b.slice(0, -1)

const clock = new Intl.DateTimeFormat(undefined, {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  fractionalSecondDigits: 3,
  hourCycle: 'h23',
})

/** The time of day in the reader's time zone, to the millisecond. */
export const timeOfDay = (rfc3339: string) => clock.format(new Date(rfc3339))

/** The lines as a file has them. */
export const asText = (lines: Line[]) => lines.map((l) => `${l.time} ${l.text}\n`).join('')
