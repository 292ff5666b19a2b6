// Every page in both themes and at three widths: no overflow, accessible, and safe against hostile names.
import AxeBuilder from '@axe-core/playwright'
import { test as base, type Page } from '@playwright/test'
import { Stack, token } from './stack'
import { expect, guard, signIn } from './test'

/** A hostile name: tags, quotes, bidirectional text, emoji, no break opportunity. */
const hostile = `<img src=x onerror="document.title='owned'">'"&amp; עברית 😀`
const long = (n: number) => hostile + 'x'.repeat(n - Array.from(hostile).length)

/** Paths by the name of the screenshot. `<…>` is an id that `furnish` returns. */
const paths: Record<string, string> = {
  dashboard: '/',
  start: '/start',
  configuration: '/configuration',
  review: '/configuration/review',
  targets: '/configuration/targets',
  'target-form': '/configuration/targets/new',
  presets: '/presets',
  'preset-save': '/presets/save',
  urls: '/urls',
  events: '/events',
  funnels: '/funnels',
  'funnel-template': '/funnels/new/purchase',
  'funnel-edit': '/funnels/1',
  backfill: '/backfill',
  'backfill-confirm': '/backfill/confirm',
  'backfill-log': '/backfill/log/<job>',
  capacity: '/capacity',
  runs: '/runs',
  run: '/runs/<run>',
  'run-describe': '/runs/<run>/describe',
  compare: '/runs/compare/<earlier>/<run>',
  reports: '/benchmarks',
  logs: '/logs',
  nowhere: '/no/such/page',
}

type Ids = Record<'run' | 'earlier' | 'job', string>

/** One stack for all tests, as none changes it. */
const test = base.extend<object, { home: { stack: Stack; ids: Ids } }>({
  home: [
    async ({}, use) => {
      const stack = await Stack.start()
      try {
        await use({ stack, ids: await furnish(stack) })
      } finally {
        await stack.end()
      }
    },
    { scope: 'worker', timeout: 300_000 },
  ],
})

/** Fills every list with hostile names and starts a run. */
async function furnish(stack: Stack): Promise<Ids> {
  // The weekly profile shows its editor and chart.
  await stack.configure({ LOAD_PROFILE: 'week' })
  const text = { name: long(100), description: long(500) }
  await stack.api('POST', '/api/presets', { ...text, config: { PAGEVIEWS_MAX: 5 } })
  await stack.api('POST', '/api/funnels', {
    ...text,
    probability: 0.3,
    steps: [
      { type: 'pageview', url: 'https://a.test/', title: long(120), delay_seconds_max: 1 },
      { type: 'event', event_category: long(500), event_action: hostile, event_name: hostile },
    ],
  })
  await stack.api('POST', '/api/urls', { content: `https://a.test/a\t${long(500)}\nhttps://a.test/b\n` })
  const event = { category: hostile, action: hostile, name: long(500) }
  await stack.api('POST', '/api/events', { content: JSON.stringify({ click_events: [event], random_events: [event] }) })
  for (const name of [long(100), 'Second'])
    await stack.api('POST', '/api/targets', { name, url: stack.sink, site_id: 1, token_auth: token })
  await stack.api('PUT', '/api/targets/routing', { mode: 'multi', distribution_strategy: 'round-robin' })
  const description = { note: long(2000), labels: [`<img src=x onerror="alert(1)">😀`, 'x'.repeat(50)] }
  const start = async (config: object) => {
    const before = (await stack.counts()).total.visits
    await stack.api('POST', '/api/start', { ...description, config, restart_if_running: true })
    await expect.poll(async () => (await stack.counts()).total.visits).toBeGreaterThan(before)
    return (await stack.api<{ run: { id: string } }>('GET', '/api/status')).run.id
  }
  const limits = { AUTO_STOP_AFTER_HOURS: 5, MAX_TOTAL_VISITS: 100_000, STOP_ERROR_SHARE: 0.5 }
  const backfill = { name: long(180), DAYS_BACK: 40, DURATION_DAYS: 40, MAX_VISITS_PER_DAY: 10, MAX_VISITS_TOTAL: 200 }
  const job = (await stack.api<{ run_id: string }>('POST', '/api/backfill/run', backfill)).run_id
  const earlier = await start({})
  return { job, earlier, run: await start({ ...limits, THRESHOLDS: 'error_share<1%, p95<1ns, visits>100000' }) }
}

/** Waits until nothing is loading. */
async function settled(page: Page) {
  await expect(page.getByRole('main')).toBeVisible()
  await expect(page.getByText('Loading…')).toHaveCount(0)
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0)
}

/** The elements that make the page wider than the window, innermost last. */
const overflowing = (page: Page) =>
  page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement
    if (scrollWidth <= clientWidth) return []
    return [...document.querySelectorAll('main *')]
      .filter((el) => Math.round(el.getBoundingClientRect().right + scrollX) >= scrollWidth)
      .map((el) => `${el.tagName} ${el.getAttribute('class')}`)
  })

/** Takes a screenshot if PICTURES is set: they take a fifth of the time. */
const screenshot = (page: Page, name: string) =>
  process.env.PICTURES ? page.screenshot({ path: `e2e/screenshots/${name}.png`, fullPage: true }) : undefined

/** The serious findings of axe. Legacy mode, as the page has no frames. */
async function seriousFindings(page: Page, rules?: string[]): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] })
  if (rules) axe.withRules(rules)
  const { violations } = await axe.analyze()
  return violations
    .filter((v) => ['serious', 'critical'].includes(v.impact!) || v.id === 'region')
    .map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`)
}

for (const [name, path] of Object.entries(paths))
  test(name, async ({ browser, home }) => {
    const { stack, ids } = home
    const context = await browser.newContext({ colorScheme: 'light', baseURL: stack.url, reducedMotion: 'reduce' })
    const faults = await guard(context, stack.url)
    await signIn(context, stack)
    const page = await context.newPage()
    for (const theme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: theme })
      if (theme === 'dark') await expect(page.locator('html')).toHaveAttribute('data-shade', 'dark')
      for (const [size, width] of Object.entries({ desktop: 1280, tablet: 768, phone: 390 })) {
        await page.setViewportSize({ width, height: 900 })
        if (size === 'desktop' && theme === 'light')
          await page.goto(path.replace(/<(\w+)>/g, (_, of: keyof Ids) => ids[of]))
        await settled(page)
        // Charts are resized a moment later.
        await expect.soft(async () => expect(await overflowing(page), `beyond ${width} px`).toEqual([])).toPass()
        if (size === 'tablet') continue
        await screenshot(page, `${name}-${size}-${theme}`)
        // The dark theme differs in its colours only.
        if (theme === 'light') expect.soft(await seriousFindings(page)).toEqual([])
        else if (size === 'desktop') expect.soft(await seriousFindings(page, ['color-contrast'])).toEqual([])
      }
    }
    expect(await page.title(), 'a name was interpreted as markup').toContain('Trafficinator')
    await expect(page.locator('img[src="x"]')).toHaveCount(0)
    expect(faults).toEqual([])
    await context.close()
  })
