// What Matomo recorded, on the page of a run.
import type { Stack } from './stack'
import { expect, test } from './test'

type Status = { run: { id: string; ended: string | null } }

async function finished(stack: Stack, config: Record<string, unknown>): Promise<string> {
  await stack.configure({ STOP_AFTER_VISITS: 40, RUN_DIMENSION: 1, ...config })
  await stack.api('POST', '/api/start')
  const run = async () => (await stack.api<Status>('GET', '/api/status')).run
  await expect.poll(async () => (await run()).ended, { timeout: 30_000 }).toBeTruthy()
  return (await run()).id
}

test('a clean run reconciles with every row equal, by keyboard', async ({ page, stack, keyboard }) => {
  const id = await finished(stack, {})
  await page.goto(`/runs/${id}`)
  await keyboard.press(page.getByRole('button', { name: 'Reconcile', exact: true }))
  await expect(page.getByText('Everything was recorded')).toBeVisible({ timeout: 20_000 })
  const visits = page.getByRole('row', { name: /^visits/ })
  await expect(visits.getByRole('cell').nth(0)).toHaveText('40')
  await expect(visits.getByRole('cell').nth(1)).toHaveText('40')
  await expect(visits).toContainText('equal')
  // It is kept.
  await page.reload()
  await expect(page.getByText('Everything was recorded')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Note in Matomo’s graph' }))
  await expect(page.getByText('2 notes were written.')).toBeVisible()
})

test('reports that are not archived are no loss', async ({ page, stack }) => {
  const { url } = await stack.addSink('127.0.0.1:0', '--archive-delay', '2h')
  const id = await finished(stack, { MATOMO_URL: url })
  await stack.api('POST', `/api/runs/${id}/reconcile`, { limit_seconds: 0 })
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('the reports do not show it yet', { exact: false }).first()).toBeVisible({
    timeout: 20_000,
  })
  await expect(page.getByRole('row', { name: /^visits/ })).toContainText('equal')
  await expect(page.getByRole('row', { name: /^pageviews/ })).toContainText('not archived')
})

test('hits that were answered and not recorded are missed', async ({ page, stack }) => {
  const { url } = await stack.addSink('127.0.0.1:0', '--lose-share', '0.1')
  const id = await finished(stack, { MATOMO_URL: url })
  // Each second, so that it is sooner sure than with the usual ten.
  await stack.api('POST', `/api/runs/${id}/reconcile`, { every_seconds: 1 })
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('Hits are missing')).toBeVisible({ timeout: 40_000 })
  await expect(page.getByRole('row', { name: /^pageviews/ })).toContainText('short by')
})
