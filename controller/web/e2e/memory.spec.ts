import type { CDPSession } from '@playwright/test'
import { expect, test } from './test'

type Status = { config: unknown; stats: { sample: Record<string, unknown> & { visits: object } } | null }
type Stub = Window & { stream: EventTarget }

/** How many updates settle what is made once, and how many are then watched. */
const warmUp = 100
const watched = 600

test('the heap stays flat over 600 updates at 20 a second', async ({ page, stack }) => {
  test.slow()
  // A real state and a real sample, told again and again.
  await stack.configure()
  await stack.api('POST', '/api/start', {})
  const status = () => stack.api<Status>('GET', '/api/status')
  await expect.poll(async () => (await status()).stats, { timeout: 30_000 }).toBeTruthy()
  const { config: _, stats, ...state } = await status()
  const sample = stats!.sample
  // None has ended, so that the page shows all that began as open.
  const none = Object.fromEntries(Object.keys(sample.visits).map((fate) => [fate, 0]))
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
  // Two hours of points, so that each new one pushes an old one out.
  const time = (second: number) => new Date(Date.UTC(2030, 0, 1) + second * 1000).toISOString()
  const points = Array.from({ length: 7200 }, (_, i) => ({ ...sample, time: time(i) }))
  await page.route('**/api/live*', (route) => route.fulfill({ json: { points } }))
  await page.goto('/')
  await page.waitForFunction(() => 'stream' in window)
  await page.evaluate((state) => {
    const { stream } = window as unknown as Stub
    stream.dispatchEvent(new Event('open'))
    stream.dispatchEvent(new MessageEvent('state', { data: JSON.stringify(state) }))
  }, state)
  await expect(page.getByRole('main').getByText('Running', { exact: true })).toBeVisible()

  let told = 0
  const tell = async (updates: number) => {
    const samples = Array.from({ length: updates }, () => {
      const planned = 1_000_000 + ++told
      return JSON.stringify({ ...sample, time: time(7200 + told), visits: { ...none, planned } })
    })
    await page.evaluate(async (samples) => {
      const { stream } = window as unknown as Stub
      for (const data of samples) {
        await new Promise((next) => setTimeout(next, 50))
        stream.dispatchEvent(new MessageEvent('sample', { data }))
      }
    }, samples)
    const shown = (1_000_000 + told).toLocaleString('en-GB')
    await expect(page.getByRole('main').getByText(shown).first()).toBeVisible()
  }
  const browser = await page.context().newCDPSession(page)
  await tell(warmUp)
  const before = await heap(browser)
  await tell(watched)
  const after = await heap(browser)
  console.log(`heap: ${mega(before)} MB, after ${watched} updates ${mega(after)} MB`)
  expect(after - before).toBeLessThan(1_500_000)
})

/** What is in use after garbage has been collected, in bytes. */
async function heap(browser: CDPSession): Promise<number> {
  await browser.send('HeapProfiler.collectGarbage')
  return (await browser.send('Runtime.getHeapUsage')).usedSize
}

const mega = (bytes: number) => (bytes / 1e6).toFixed(2)
