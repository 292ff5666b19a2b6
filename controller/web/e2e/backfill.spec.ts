import { expect, test } from './test'

type Job = { name: string; state: string; exit_code: number | null; progress: { visits_sent: number } | null }

test('a backfill of the last seven days reaches the sink', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/backfill')
  await keyboard.press(page.getByRole('button', { name: 'Last 7 days' }))
  await keyboard.fill(page.getByLabel('Max. visits per day'), '20')
  await keyboard.fill(page.getByLabel('Seed'), '7')
  await keyboard.fill(page.getByLabel('Name', { exact: true }), 'Last week')
  // The busiest of the seven days has the maximum, the others fewer.
  await expect(page.getByRole('cell').filter({ hasText: ': 20 visits' })).not.toHaveCount(0)
  const days = await page
    .getByRole('cell')
    .filter({ hasText: /visits?$/ })
    .allTextContents()
  const planned = days.map((text) => Number(/: (\d+) visits?$/.exec(text)![1]))
  expect(planned).toHaveLength(7)
  const sum = planned.reduce((a, b) => a + b, 0)

  await keyboard.press(page.getByRole('button', { name: 'Review and send' }))
  await expect(page.getByRole('dialog')).toContainText(`Sends ${sum} visits for 7 days`)
  expect((await stack.counts()).total.visits, 'nothing is sent before the confirmation').toBe(0)
  await keyboard.press(page.getByRole('button', { name: `Send ${sum} visits` }))
  const job = page.getByRole('article', { name: 'Last week' })
  await expect(job.getByText('Done', { exact: true })).toBeVisible()
  await expect(job).toContainText(`${sum} of ${sum} visits sent`)
  const { violations, total } = await stack.counts()
  expect([violations, total.visits]).toEqual([0, sum])

  await keyboard.press(job.getByRole('button', { name: 'Log' }))
  await expect(page.getByRole('log')).toContainText('BACKFILL_ENABLED=true')
  await page.keyboard.press('Escape')
  await keyboard.press(job.getByRole('button', { name: 'Rerun' }))
  await expect(page.getByRole('button', { name: `Send ${sum} visits` })).toBeEnabled()
  await page.keyboard.press('Escape')
  await keyboard.press(page.getByRole('button', { name: 'Remove ended jobs' }))
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Remove' }))
  await expect(page.getByText('1 ended job removed.')).toBeVisible()
  await expect(page.getByText('No backfills yet')).toBeVisible()
})

test('invalid input is reported at its field and nothing is started', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/backfill')
  const review = page.getByRole('button', { name: 'Review and send' })
  await expect(review).toBeEnabled()
  await keyboard.pick(page.getByRole('radio', { name: 'Fixed dates' }))
  await page.getByLabel('First day').fill('2026-02-01')
  await page.getByLabel('Last day').fill('2026-01-01')
  await expect(page.getByLabel('First day')).toHaveAttribute('aria-invalid', 'true')
  await expect(review).toBeDisabled()
  await keyboard.pick(page.getByRole('radio', { name: 'Days before today' }))
  await expect(review).toBeEnabled()

  await stack.configure({ MATOMO_TOKEN_AUTH: '' })
  await page.reload()
  await expect(page.getByText('This plan cannot be sent')).toBeVisible()
  await expect(review).toBeDisabled()
  const { runs } = await stack.api<{ runs: Job[] | null }>('GET', '/api/backfill/status')
  expect(runs ?? []).toEqual([])
})

test('a start that the controller rejects shows an error', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/backfill')
  await keyboard.press(page.getByRole('button', { name: 'Review and send' }))
  const send = page.getByRole('button', { name: /^Send [\d,]+ visits$/ })
  await expect(send).toBeEnabled()
  await stack.configure({ MATOMO_TOKEN_AUTH: '' })
  await keyboard.press(send)
  await expect(page.getByRole('dialog').getByText('The backfill was not started')).toBeVisible()
  await expect(page.getByText('is queued')).toHaveCount(0)
})

test('a cancelled job can be resumed', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/backfill/run', {
    name: 'Slow',
    DAYS_BACK: 3,
    DURATION_DAYS: 3,
    MAX_VISITS_PER_DAY: 400,
    RPS_LIMIT: 2,
  })
  await page.goto('/backfill')
  const job = page.getByRole('article', { name: 'Slow' })
  await expect(job.getByText('Sending', { exact: true })).toBeVisible()
  await expect.poll(async () => (await stack.counts()).total.visits).toBeGreaterThan(0)
  await keyboard.press(job.getByRole('button', { name: 'Cancel' }))
  await expect(job.getByText('Cancelled', { exact: true })).toBeVisible()
  await keyboard.press(job.getByRole('button', { name: 'Resume' }))
  await expect(job.getByText('Sending', { exact: true })).toBeVisible()
  await keyboard.press(job.getByRole('button', { name: 'Cancel' }))
  await expect(job.getByText('Cancelled', { exact: true })).toBeVisible()
  const { violations } = await stack.counts()
  expect(violations).toBe(0)
})
