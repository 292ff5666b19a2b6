import type { Page } from '@playwright/test'
import { expect, test } from './test'
import { TwoHours } from './twohours'

/**
 * Milliseconds that an interaction and one update of the run may keep the page's main thread busy: half of them, and each.
 * It is the thread's own time, which other programs on the machine do not stretch; 200 is what is promised of an answer.
 */
const [usual, most] = [200, 1000]

test('the page answers at once while two hours of a run are drawn', async ({ page, stack, keyboard }) => {
  const run = await TwoHours.open(page, stack)
  const busy = await clock(page)
  const took: [what: string, ms: number][] = []
  const takes = async (what: string, act: () => Promise<unknown>) => {
    const before = await busy()
    await run.tell(1, 0)
    await act()
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
    took.push([what, (await busy()) - before])
  }

  const main = page.getByRole('main')
  for (const window of ['2 h', '5 min', '30 min', '2 h']) {
    await takes(window, () => main.getByRole('button', { name: window, exact: true }).click())
    await takes('Pause', () => main.getByRole('button', { name: 'Pause', exact: true }).last().click())
    await takes('Resume', () => main.getByRole('button', { name: 'Resume', exact: true }).click())
  }
  const chart = (await main.locator('.u-over').first().boundingBox())!
  await page.mouse.move(chart.x + 40, chart.y + 40)
  await takes('press', () => page.mouse.down())
  for (let x = 60; x <= 200; x += 20) await takes('drag', () => page.mouse.move(chart.x + x, chart.y + 50))
  await takes('release', () => page.mouse.up())
  await takes('Reset zoom', () => main.getByRole('button', { name: 'Reset zoom' }).click())
  await takes('Dark', () => page.getByRole('group', { name: 'Theme' }).getByText('Dark').click())
  const navigation = page.getByRole('navigation')
  for (const name of ['Configuration', 'Dashboard', 'Runs', 'Dashboard', 'Funnels', 'Dashboard']) {
    await takes(name, () => navigation.getByRole('link', { name }).click())
    await expect(navigation.getByRole('link', { name })).toHaveAttribute('aria-current', 'page')
  }
  await keyboard.press(main.getByRole('button', { name: '2 h', exact: true }))
  await navigation.getByRole('link', { name: 'Configuration' }).click()
  await page.getByLabel('Search settings').focus()
  for (const key of 'visits') await takes(key, () => page.keyboard.press(key))

  took.sort(([, a], [, b]) => b - a)
  const [, median] = took[took.length >> 1]!
  const slowest = took.slice(0, 5).map(([what, ms]) => `${ms.toFixed()} ms for ${what}`)
  console.log(
    `interactions: half of ${took.length} took ${median.toFixed()} ms or less, the slowest ${slowest.join(', ')}`,
  )
  expect(median).toBeLessThan(usual)
  expect(took[0]![1]).toBeLessThan(most)
})

/** Asks for the time that the page's main thread has worked so far, in milliseconds. */
async function clock(page: Page) {
  const browser = await page.context().newCDPSession(page)
  await browser.send('Performance.enable', { timeDomain: 'threadTicks' })
  return async () => {
    const { metrics } = await browser.send('Performance.getMetrics')
    return 1000 * metrics.find((m) => m.name === 'TaskDuration')!.value
  }
}
