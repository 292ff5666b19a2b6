// Funnels to begin with. Their pages lie on the host that is being loaded, where it is known.
import { words } from '../text'
import { newStep, type Draft, type Step } from './draft'

const w = words.funnels.templates

export const templateNames = ['purchase', 'lead', 'content'] as const
export type TemplateName = (typeof templateNames)[number]

type Spec = Pick<Draft, 'probability' | 'priority' | 'exit_after_completion'> & {
  steps: (host: string) => Partial<Step>[]
}

const delays = (min: number, max: number) => ({ delay_seconds_min: min, delay_seconds_max: max })

export const templates: Record<TemplateName, Spec> = {
  purchase: {
    probability: 0.35,
    priority: 0,
    exit_after_completion: true,
    steps: (host) => [
      { url: `${host}/`, title: w.titles.landing, ...delays(3, 8) },
      {
        type: 'event',
        url: `${host}/`,
        event_category: 'CTA',
        event_action: 'Click',
        event_name: 'Shop now',
        ...delays(1, 3),
      },
      { url: `${host}/shoes/running-shoes`, title: w.titles.product, ...delays(10, 40) },
      {
        type: 'event',
        url: `${host}/shoes/running-shoes`,
        event_category: 'Ecommerce',
        event_action: 'Add to cart',
        event_name: 'Running shoes',
        ...delays(2, 6),
      },
      { url: `${host}/checkout`, title: w.titles.checkout, ...delays(20, 60) },
      {
        type: 'ecommerce',
        url: `${host}/checkout/done`,
        title: w.titles.done,
        ecommerce_items: 2,
        ...delays(0, 2),
      },
    ],
  },
  lead: {
    probability: 0.25,
    priority: 1,
    exit_after_completion: true,
    steps: (host) => [
      { url: `${host}/guides/buying-advice`, title: w.titles.post, ...delays(15, 60) },
      {
        type: 'download',
        url: `${host}/guides/buying-advice`,
        target_url: `${host}/files/buying-guide.pdf`,
        ...delays(3, 10),
      },
      { url: `${host}/guides/resources`, title: w.titles.resources, ...delays(10, 40) },
      {
        type: 'event',
        url: `${host}/guides/resources`,
        event_category: 'Form',
        event_action: 'Submit',
        event_name: 'Contact request',
        event_value: 1,
        ...delays(0, 3),
      },
    ],
  },
  content: {
    probability: 0.4,
    priority: 2,
    exit_after_completion: false,
    steps: (host) => [
      { url: `${host}/`, title: w.titles.home, ...delays(3, 10) },
      {
        type: 'site_search',
        url: `${host}/search`,
        title: w.titles.search,
        search_keyword: 'analytics',
        search_results: 12,
        ...delays(4, 12),
      },
      { url: `${host}/books/novels`, title: w.titles.article, ...delays(20, 90) },
      {
        type: 'event',
        url: `${host}/books/novels`,
        event_category: 'Engagement',
        event_action: 'Scroll',
        event_name: '75 %',
        event_value: 75,
        ...delays(2, 8),
      },
    ],
  },
}

/** A template as a draft; `host` is like https://www.example.org. */
export function fromTemplate(name: TemplateName, host: string): Draft {
  const { steps, ...rest } = templates[name]
  const [title, description] = w.texts[name]
  return { name: title, description, enabled: true, ...rest, steps: steps(host).map(newStep) }
}

/** The host of the pages that visits see: that of the saved list, or SITE_URL, on which the built-in pages lie. */
export function hostOf(source: string, firstPage: string | undefined, siteURL: unknown): string {
  const address = source === 'default' && typeof siteURL === 'string' && siteURL ? siteURL : firstPage
  return address && URL.canParse(address) ? new URL(address).origin : 'https://shop.example.test'
}
