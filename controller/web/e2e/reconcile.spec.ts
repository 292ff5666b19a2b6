// Reconciliation on the page of a run.
import type { Stack } from './stack'
import { expect, test } from './test'

type Status = { run: { id: string; ended: string | null } }

/** Runs until up to forty visits have been sent, as far as this machine had time; returns the id of the run. */
async function finished(stack: Stack, config: Record<string, unknown>): Promise<string> {
  await stack.configure({ STOP_AFTER_VISITS: 40, RUN_DIMENSION: 1, ...config })
  await stack.api('POST', '/api/start')
  const run = async () => (await stack.api<Status>('GET', '/api/status')).run
  await expect.poll(async () => (await run()).ended).toBeTruthy()
  return (await run()).id
}

test('a clean run reconciles with every row equal', async ({ page, stack, keyboard }) => {
  const id = await finished(stack, {})
  await page.goto(`/runs/${id}`)
  await keyboard.press(page.getByRole('button', { name: 'Reconcile', exact: true }))
  await expect(page.getByText('All accepted hits were recorded')).toBeVisible()
  const visits = page.getByRole('row', { name: /^visits/ })
  const { total } = await stack.counts()
  expect(total.visits).toBeGreaterThan(0)
  await expect(visits.getByRole('cell').nth(0)).toHaveText(`${total.visits}`)
  await expect(visits.getByRole('cell').nth(1)).toHaveText(`${total.visits}`)
  await expect(visits).toContainText('equal')
  // The result is saved.
  await page.reload()
  await expect(page.getByText('All accepted hits were recorded')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Annotate in Matomo' }))
  await expect(page.getByText('2 annotations added.')).toBeVisible()
})

test('reports that are not archived yet are not a loss', async ({ page, stack }) => {
  const { url } = await stack.addSink('127.0.0.1:0', '--archive-delay', '2h')
  const id = await finished(stack, { MATOMO_URL: url })
  await stack.api('POST', `/api/runs/${id}/reconcile`, { limit_seconds: 0 })
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('not yet in the reports', { exact: false }).first()).toBeVisible()
  await expect(page.getByRole('row', { name: /^visits/ })).toContainText('equal')
  await expect(page.getByRole('row', { name: /^pageviews/ })).toContainText('not archived')
})

test('hits that were accepted but not recorded are missing', async ({ page, stack }) => {
  const { url } = await stack.addSink('127.0.0.1:0', '--lose-share', '0.1')
  const id = await finished(stack, { MATOMO_URL: url })
  // Every second instead of every ten, to finish earlier.
  await stack.api('POST', `/api/runs/${id}/reconcile`, { every_seconds: 1 })
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('Hits are missing')).toBeVisible()
  await expect(page.getByRole('row', { name: /^pageviews/ })).toContainText('short by')
})
