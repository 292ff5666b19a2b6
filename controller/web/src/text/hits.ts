// Kinds of hits and the funnel steps that send them: titles, the fields that summarise one, and the fields of a step.
// The API's types make both lists complete.
import type { components } from '../api/schema.gen'

type FunnelStep = components['schemas']['FunnelStep']
type Kind = components['schemas']['PreviewHit']['kind']
export type StepType = FunnelStep['type']

/** By kind: its title, and the parameters that summarise a hit. */
const kinds: Record<Kind, { title: string; gist: string[] }> = {
  pageview: { title: 'Pageviews', gist: ['url'] },
  search: { title: 'Site searches', gist: ['search', 'search_cat', 'search_count'] },
  event: { title: 'Events', gist: ['e_c', 'e_a', 'e_n', 'e_v'] },
  outlink: { title: 'Outlinks', gist: ['link'] },
  download: { title: 'Downloads', gist: ['download'] },
  order: { title: 'Orders', gist: ['ec_id', 'revenue'] },
  ping: { title: 'Pings', gist: ['url'] },
}

/** Fields of a step; a field is text unless it is a number in the API. */
type Fields = Partial<Record<keyof FunnelStep, { label: string; help?: string; number?: true }>>

const drawn = { help: 'Empty = computed or random.', number: true } as const
const target: Fields = { target_url: { label: 'Target URL' } }

/** By type of step: its label, the fields that summarise it, and its own fields. */
const steps: Record<StepType, { label: string; gist: (keyof FunnelStep)[]; fields: Fields }> = {
  pageview: { label: 'Pageview', gist: [], fields: {} },
  event: {
    label: 'Event',
    gist: ['event_category', 'event_action', 'event_name'],
    fields: {
      event_category: { label: 'Category' },
      event_action: { label: 'Action' },
      event_name: { label: 'Name' },
      event_value: { label: 'Value', help: 'Optional.', number: true },
    },
  },
  site_search: {
    label: 'Site search',
    gist: ['search_keyword'],
    fields: {
      search_keyword: { label: 'Keyword' },
      search_category: { label: 'Category', help: 'Optional.' },
      search_results: { label: 'Results', help: 'Empty = random.', number: true },
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
      ecommerce_items: { label: 'Items', help: 'Empty = random.', number: true },
      ecommerce_currency: { label: 'Currency', help: 'Not sent; Matomo uses the site’s currency.' },
    },
  },
}

/** The fields of every step. */
const common: Fields = {
  url: { label: 'Page URL' },
  title: { label: 'Page title', help: 'Up to 120 characters.' },
  action_name: { label: 'Action name', help: 'Used if there is no page title.' },
  delay_seconds_min: { label: 'Min delay', help: 'Seconds.', number: true },
  delay_seconds_max: { label: 'Max delay', help: 'Seconds, up to 1799.', number: true },
}

export const hits = {
  kinds,
  /** The title of a kind; its key if unknown, for example from a newer loadgen. */
  title: (kind: string) => kinds[kind as Kind]?.title ?? kind,
  steps,
  fields: { ...common, ...Object.assign({}, ...Object.values(steps).map((s) => s.fields)) } as Required<Fields>,
  common: Object.keys(common) as (keyof FunnelStep)[],
}
