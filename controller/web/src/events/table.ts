// The events as an editable table of texts, and the conversion from and to JSON.
export const lists = ['click_events', 'random_events'] as const
export type List = (typeof lists)[number]
export const fields = ['category', 'action', 'name', 'value'] as const
export type Field = (typeof fields)[number]
export const fieldNames = { category: 'Category', action: 'Action', name: 'Name', value: 'Value' }

/** An event as typed. `id` is unique while the page is open. */
export type Row = { id: number } & Record<Field, string>

/** `share` is the probability of a list, as typed. */
export type Table = { rows: Record<List, Row[]>; share: Record<List, string> }

export const shareKey = {
  click_events: 'click_events_probability',
  random_events: 'random_events_probability',
} as const
export const setting = { click_events: 'CLICK_EVENTS_PROBABILITY', random_events: 'RANDOM_EVENTS_PROBABILITY' } as const

let next = 1

export const newRow = (): Row => ({ id: next++, category: '', action: '', name: '', value: '' })

export const copyOf = (row: Row): Row => ({ ...row, id: next++ })

const text = (v: unknown) =>
  v === null || v === undefined ? '' : typeof v === 'object' ? JSON.stringify(v) : String(v)

/** Reads an events.json; shares that it lacks come from `before`. Undefined if it has no lists of events. */
export function tableOf(content: unknown, before?: Table): Table | undefined {
  if (!isObject(content)) return
  const rows = (key: List) => {
    const events = content[key] ?? []
    if (!Array.isArray(events) || !events.every(isObject)) return
    return events.map((e) => ({ ...newRow(), ...Object.fromEntries(fields.map((f) => [f, text(e[f])])) }) as Row)
  }
  const [click, random] = [rows('click_events'), rows('random_events')]
  if (!click || !random || (!('click_events' in content) && !('random_events' in content))) return
  const share = (key: List) => (shareKey[key] in content ? text(content[shareKey[key]]) : (before?.share[key] ?? ''))
  return {
    rows: { click_events: click, random_events: random },
    share: { click_events: share('click_events'), random_events: share('random_events') },
  }
}

const isObject = (v: unknown): v is Record<string, unknown> => typeof v === 'object' && v !== null && !Array.isArray(v)

/** A number if the text is one, else the text, which the server then reports as invalid. */
function number(typed: string): number | string {
  const n = Number(typed)
  return typed.trim() !== '' && Number.isFinite(n) ? n : typed
}

/** The JSON of the table without the shares that equal those of `saved`, as they belong to the settings. */
export function contentOf(table: Table, saved?: Table): string {
  const events = (key: List) =>
    table.rows[key].map(({ category, action, name, value }) => ({
      category,
      action,
      name,
      value: value.trim() === '' ? null : number(value),
    }))
  const shares = lists
    .filter((key) => table.share[key] !== saved?.share[key])
    .map((key) => [shareKey[key], number(table.share[key])])
  const content = {
    ...Object.fromEntries(shares),
    click_events: events('click_events'),
    random_events: events('random_events'),
  }
  return JSON.stringify(content, null, 2) + '\n'
}

/** Where a problem is: a cell, the share of a list, a list, or elsewhere. */
export type Place = { list: List; index: number; field: Field } | { list: List; field: 'share' | 'list' } | undefined

export function placeOf(where: string): Place {
  for (const list of lists) {
    if (where === shareKey[list]) return { list, field: 'share' }
    if (where === list) return { list, field: 'list' }
    const cell = new RegExp(`^${list}\\[(\\d+)\\]\\.(category|action|name|value)$`).exec(where)
    if (cell) return { list, index: Number(cell[1]), field: cell[2] as Field }
  }
}
