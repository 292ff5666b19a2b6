import type { CDPSession } from '@playwright/test'
import { expect, test } from './test'
import { TwoHours } from './twohours'

/** How many updates settle what is made once, and how many are then watched; milliseconds between two. */
const warmUp = 100
const watched = 600
const each = 50

test('the heap stays flat over 600 updates at 20 a second', async ({ page, stack }) => {
  const run = await TwoHours.open(page, stack)
  const browser = await page.context().newCDPSession(page)
  await run.tell(warmUp, each)
  await run.shown()
  const before = await heap(browser)
  await run.tell(watched, each)
  await run.shown()
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
