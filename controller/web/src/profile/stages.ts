// The text of a load profile of stages, as rows that a person edits. What is wrong in a row stays in it: the controller says so.

/** A stage as it is written: how long, from which rate in visits a day, and to which; without the last the rate is held. */
export type Stage = { duration: string; from: string; to: string }

/** What a profile is by its text. */
export type Kind = 'constant' | 'week' | 'stages'

export const profileKind = (text: string): Kind => {
  const word = text.trim().toLowerCase()
  return word === '' || word === 'constant' ? 'constant' : word === 'week' ? 'week' : 'stages'
}

/** The stages of a text; undefined where a part of it has no colon, so that rows could not hold it. */
export function parseStages(text: string): Stage[] | undefined {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.at(-1) === '') parts.pop()
  const rows = parts.map((part): Stage | undefined => {
    const [duration, rates, more] = part.split(':')
    if (duration === undefined || rates === undefined || more !== undefined) return
    const [from = '', to = ''] = rates.split(/→|->/)
    return { duration: duration.trim(), from: from.trim(), to: to.trim() }
  })
  return rows.every((row) => row !== undefined) ? rows : undefined
}

/** The text of stages; what would end a part of it is left out. */
export const formatStages = (rows: Stage[]) =>
  rows.map((s) => `${part(s.duration)}:${part(s.from)}${part(s.to) ? `→${part(s.to)}` : ''}`).join(', ')

const part = (text: string) => text.replace(/[,:→>]/g, '').trim()

/** What somebody begins with who has a rate of visits a day: up to it, an hour of it, and down again. */
export const example = (perDay: number): Stage[] => [
  { duration: '10m', from: '0', to: String(perDay) },
  { duration: '1h', from: String(perDay), to: '' },
  { duration: '10m', from: String(perDay), to: '0' },
]

/** A stage that goes on from where the last one ends. */
export function nextStage(rows: Stage[]): Stage {
  const last = rows.at(-1)
  return { duration: '10m', from: last ? last.to || last.from : '0', to: '' }
}
