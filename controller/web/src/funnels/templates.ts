// Funnel templates. Their pages are on the host that is being loaded, if it is known.
import { newStep, type Draft, type Step } from './draft'

export const templateNames = ['purchase', 'lead', 'content'] as const
export type TemplateName = (typeof templateNames)[number]

type Template = Omit<Draft, 'enabled' | 'steps'> & { steps: Partial<Step>[] }

/** A step of any type on a page; the delay before the next one is `min` to `max` seconds. */
const step = (url: string, min: number, max: number, more: Partial<Step> = {}): Partial<Step> => ({
  ...{ url, delay_seconds_min: min, delay_seconds_max: max },
  ...more,
})
const page = (url: string, title: string, min: number, max: number) => step(url, min, max, { title })
const event = (url: string, name: [category: string, action: string, name: string], min: number, max: number) =>
  step(url, min, max, { type: 'event', event_category: name[0], event_action: name[1], event_name: name[2] })

const templates: Record<TemplateName, (host: string) => Template> = {
  purchase: (host) => ({
    name: 'Purchase',
    description: 'From the landing page to an order: click, product, cart, checkout.',
    ...{ probability: 0.35, priority: 0, exit_after_completion: true },
    steps: [
      page(`${host}/`, 'Welcome', 3, 8),
      event(`${host}/`, ['CTA', 'Click', 'Shop now'], 1, 3),
      page(`${host}/shoes/running-shoes`, 'Running shoes', 10, 40),
      event(`${host}/shoes/running-shoes`, ['Ecommerce', 'Add to cart', 'Running shoes'], 2, 6),
      page(`${host}/checkout`, 'Checkout', 20, 60),
      { ...page(`${host}/checkout/done`, 'Thank you for your order', 0, 2), type: 'ecommerce', ecommerce_items: 2 },
    ],
  }),
  lead: (host) => ({
    name: 'Lead',
    description: 'Reads an article, downloads the PDF and submits a form.',
    ...{ probability: 0.25, priority: 1, exit_after_completion: true },
    steps: [
      page(`${host}/guides/buying-advice`, 'Buying advice', 15, 60),
      step(`${host}/guides/buying-advice`, 3, 10, {
        type: 'download',
        target_url: `${host}/files/buying-guide.pdf`,
      }),
      page(`${host}/guides/resources`, 'Resources', 10, 40),
      { ...event(`${host}/guides/resources`, ['Form', 'Submit', 'Contact request'], 0, 3), event_value: 1 },
    ],
  }),
  content: (host) => ({
    name: 'Content discovery',
    description: 'Searches, reads an article and keeps browsing.',
    ...{ probability: 0.4, priority: 2, exit_after_completion: false },
    steps: [
      page(`${host}/`, 'Home', 3, 10),
      {
        ...page(`${host}/search`, 'Search results', 4, 12),
        ...{ type: 'site_search', search_keyword: 'analytics', search_results: 12 },
      },
      page(`${host}/books/novels`, 'Novels', 20, 90),
      { ...event(`${host}/books/novels`, ['Engagement', 'Scroll', '75 %'], 2, 8), event_value: 75 },
    ],
  }),
}

/** A template as a draft; `host` is like https://www.example.org. */
export function fromTemplate(name: TemplateName, host: string): Draft {
  const { steps, ...rest } = templates[name](host)
  return { ...rest, enabled: true, steps: steps.map(newStep) }
}

/** The host of the pages to visit: that of the saved list, or SITE_URL for the built-in list. */
export function hostOf(source: string, firstPage: string | undefined, siteURL: unknown): string {
  const address = source === 'default' && typeof siteURL === 'string' && siteURL ? siteURL : firstPage
  return address && URL.canParse(address) ? new URL(address).origin : 'https://shop.example.test'
}
