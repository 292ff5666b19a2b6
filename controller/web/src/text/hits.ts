// The kinds of hits and the steps of a funnel that send them: what they are called, what is shown of one first, and the
// fields of a step. The API's types say which there are, so that none can be forgotten.
import type { components } from '../api/schema.gen'

type FunnelStep = components['schemas']['FunnelStep']
type Kind = components['schemas']['PreviewHit']['kind']
export type StepType = FunnelStep['type']

/** By kind: what its hits are called, and the parameters that say first what happened. */
const kinds: Record<Kind, { title: string; gist: string[] }> = {
  pageview: { title: 'Page views', gist: ['url'] },
  search: { title: 'Site searches', gist: ['search', 'search_cat', 'search_count'] },
  event: { title: 'Events', gist: ['e_c', 'e_a', 'e_n', 'e_v'] },
  outlink: { title: 'Outlinks', gist: ['link'] },
  download: { title: 'Downloads', gist: ['download'] },
  order: { title: 'Orders', gist: ['ec_id', 'revenue'] },
  ping: { title: 'Pings', gist: ['url'] },
}

/** A field of a step. It is a text where its value is one in the API, else a number. */
type Fields = Partial<Record<keyof FunnelStep, { label: string; help?: string; number?: true }>>

const drawn = { help: 'Empty: computed or drawn.', number: true } as const
const target: Fields = { target_url: { label: 'Target address' } }

/** By type of step: what it is called, what is shown of it first, and what it has beside the common fields. */
const steps: Record<StepType, { label: string; gist: (keyof FunnelStep)[]; fields: Fields }> = {
  pageview: { label: 'Pageview', gist: [], fields: {} },
  event: {
    label: 'Event',
    gist: ['event_category', 'event_action', 'event_name'],
    fields: {
      event_category: { label: 'Category' },
      event_action: { label: 'Action' },
      event_name: { label: 'Name' },
      event_value: { label: 'Value', help: 'May be empty.', number: true },
    },
  },
  site_search: {
    label: 'Site search',
    gist: ['search_keyword'],
    fields: {
      search_keyword: { label: 'Keyword' },
      search_category: { label: 'Category', help: 'May be empty.' },
      search_results: { label: 'Results', help: 'Empty: drawn.', number: true },
    },
  },
  outlink: { label: 'Outlink', gist: ['target_url'], fields: target },
  download: { label: 'Download', gist: ['target_url'], fields: target },
  ecommerce: {
    label: 'Order',
    gist: [],
    fields: {
      ecommerce_revenue: { label: 'Revenue', ...drawn },
      ecommerce_subtotal: { label: 'Subtotal', ...drawn },
      ecommerce_tax: { label: 'Tax', ...drawn },
      ecommerce_shipping: { label: 'Shipping', ...drawn },
      ecommerce_items: { label: 'Lines of the order', help: 'Empty: drawn.', number: true },
      ecommerce_currency: { label: 'Currency', help: 'Has no effect: the site in Matomo decides it.' },
    },
  },
}

/** What every step has. */
const common: Fields = {
  url: { label: 'Page address' },
  title: { label: 'Page title', help: 'At most 120 characters.' },
  action_name: { label: 'Action name', help: 'The title where no page title is given.' },
  delay_seconds_min: { label: 'Delay, least', help: 'Seconds after it.', number: true },
  delay_seconds_max: { label: 'Delay, most', help: 'Up to 1799.', number: true },
}

export const hits = {
  kinds,
  /** The title of a kind; its key where it has none, such as in the ledger of a newer loadgen. */
  title: (kind: string) => kinds[kind as Kind]?.title ?? kind,
  steps,
  fields: { ...common, ...Object.assign({}, ...Object.values(steps).map((s) => s.fields)) } as Required<Fields>,
  common: Object.keys(common) as (keyof FunnelStep)[],
}
