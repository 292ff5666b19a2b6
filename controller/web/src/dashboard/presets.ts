// The presets that the dashboard offers: the newest saved ones, else the built-in ones.
import type { Schemas } from '../api/client'

export type Offer = {
  /** What the API loads it by. */
  id: string
  name: string
  description: string
  builtIn: boolean
  /** Visits a day; undefined where the preset does not say. */
  perDay?: number
}

const most = 3

export function offers(answer: Schemas['PresetsAnswer']): { list: Offer[]; more: number } {
  const saved = (answer.presets ?? []).map((p) => offer(String(p.id), p, false))
  if (saved.length) return { list: saved.slice(0, most), more: Math.max(0, saved.length - most) }
  return { list: builtIn(answer), more: 0 }
}

/** The built-in presets, the quietest first. */
export function builtIn(answer: Schemas['PresetsAnswer']): Offer[] {
  const list = (answer.built_in ?? []).map((p) => offer(p.name, p, true))
  return list.sort((a, b) => (a.perDay ?? 0) - (b.perDay ?? 0))
}

type Preset = { name: string; description: string; config: Record<string, unknown> }

function offer(id: string, p: Preset, builtIn: boolean): Offer {
  const perDay = p.config.TARGET_VISITS_PER_DAY
  return {
    id,
    name: p.name,
    description: p.description,
    builtIn,
    perDay: typeof perDay === 'number' ? perDay : undefined,
  }
}
