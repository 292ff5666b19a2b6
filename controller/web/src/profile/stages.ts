// The text of a load profile with stages, as rows to edit. Invalid values are kept; the controller reports them.

/** The texts of a stage: duration, start rate and end rate in visits per day; without an end the rate is constant. */
export type Stage = { duration: string; from: string; to: string }

export type Kind = 'constant' | 'week' | 'stages'

export const profileKind = (text: string): Kind => {
  const word = text.trim().toLowerCase()
  return word === '' || word === 'constant' ? 'constant' : word === 'week' ? 'week' : 'stages'
}

/** Parses stages; undefined if one has no colon. */
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

/** The text of stages, without separators inside their values. */
export const formatStages = (rows: Stage[]) =>
  rows.map((s) => `${part(s.duration)}:${part(s.from)}${part(s.to) ? `→${part(s.to)}` : ''}`).join(', ')

const part = (text: string) => text.replace(/[,:→>]/g, '').trim()

/** Example stages: ramp up to a rate, an hour of it, ramp down. */
export const example = (perDay: number): Stage[] => [
  { duration: '10m', from: '0', to: String(perDay) },
  { duration: '1h', from: String(perDay), to: '' },
  { duration: '10m', from: String(perDay), to: '0' },
]

/** A stage that continues with the rate of the last one. */
export function nextStage(rows: Stage[]): Stage {
  const last = rows.at(-1)
  return { duration: '10m', from: last ? last.to || last.from : '0', to: '' }
}
