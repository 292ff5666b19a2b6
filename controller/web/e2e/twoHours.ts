// A dashboard with two hours of history: a real state and a real sample, repeated.
import { expect, type Page } from '@playwright/test'
import type { Stack } from './stack'

type Status = { config: unknown; stats: { sample: Record<string, unknown> & { visits: object } } | null }
type Stub = Window & { stream: EventTarget }

/** The points that the page keeps: two hours, one per second. */
const count = 7200

export class TwoHours {
  private sent = 0

  private constructor(
    private readonly page: Page,
    private readonly sample: Record<string, unknown> & { visits: object },
  ) {}

  /** Opens the dashboard with two hours of points, so that each new one replaces an old one. */
  static async open(page: Page, stack: Stack): Promise<TwoHours> {
    await stack.configure()
    await stack.api('POST', '/api/start', {})
    const status = () => stack.api<Status>('GET', '/api/status')
    await expect.poll(async () => (await status()).stats).toBeTruthy()
    const { config: _, stats, ...state } = await status()
    await stack.api('POST', '/api/stop')

    await page.addInitScript(() => {
      window.EventSource = class extends EventTarget {
        static readonly CLOSED = 2
        constructor() {
          super()
          Object.assign(window, { stream: this })
        }
        close() {}
      } as unknown as typeof EventSource
    })
    const { sample } = stats!
    const points = Array.from({ length: count }, (_, i) => ({ ...sample, time: time(i) }))
    await page.route('**/api/live*', (route) => route.fulfill({ json: { points } }))
    await page.goto('/')
    await page.waitForFunction(() => 'stream' in window)
    await page.evaluate((state) => {
      const { stream } = window as unknown as Stub
      stream.dispatchEvent(new Event('open'))
      stream.dispatchEvent(new MessageEvent('state', { data: JSON.stringify(state) }))
    }, state)
    await expect(page.getByRole('main').getByText('Running', { exact: true })).toBeVisible()
    return new TwoHours(page, sample)
  }

  /** Sends that many samples, `each` milliseconds apart. */
  async send(updates: number, each: number) {
    // No visit has ended, so all are open.
    const none = Object.fromEntries(Object.keys(this.sample.visits).map((outcome) => [outcome, 0]))
    const samples = Array.from({ length: updates }, () => {
      const planned = this.planned(++this.sent)
      return JSON.stringify({ ...this.sample, time: time(count + this.sent), visits: { ...none, planned } })
    })
    await this.page.evaluate(
      async ([samples, each]) => {
        const { stream } = window as unknown as Stub
        for (const data of samples) {
          await new Promise((next) => setTimeout(next, each))
          stream.dispatchEvent(new MessageEvent('sample', { data }))
        }
      },
      [samples, each] as const,
    )
  }

  /** Waits until the page shows the last sample. */
  async shown() {
    const visits = this.planned(this.sent).toLocaleString('en-GB')
    await expect(this.page.getByRole('main').getByText(visits).first()).toBeVisible()
  }

  private planned(sent: number) {
    return 1_000_000 + sent
  }
}

const time = (second: number) => new Date(Date.UTC(2030, 0, 1) + second * 1000).toISOString()
