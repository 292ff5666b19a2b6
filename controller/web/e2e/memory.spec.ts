import type { CDPSession } from '@playwright/test'
import { expect, test } from './test'
import { TwoHours } from './twoHours'

/** Updates before and during the measurement, and the milliseconds between two. */
const warmUp = 100
const watched = 600
const each = 50

test('the heap stays flat over 600 updates at 20 a second', async ({ page, stack }) => {
  const run = await TwoHours.open(page, stack)
  const browser = await page.context().newCDPSession(page)
  await run.send(warmUp, each)
  await run.shown()
  const before = await heap(browser)
  await run.send(watched, each)
  await run.shown()
  const after = await heap(browser)
  console.log(`heap: ${mega(before)} MB, after ${watched} updates ${mega(after)} MB`)
  expect(after - before).toBeLessThan(1_500_000)
})

/** The used heap after garbage collection, in bytes. */
async function heap(browser: CDPSession): Promise<number> {
  await browser.send('HeapProfiler.collectGarbage')
  return (await browser.send('Runtime.getHeapUsage')).usedSize
}

const mega = (bytes: number) => (bytes / 1e6).toFixed(2)
