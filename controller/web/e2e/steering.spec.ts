import { metrics, defaultThreshold, formatThresholds } from '../src/runs/thresholds'
import { expect, test } from './test'

type Status = {
  run: { id: string; kind: string; reason: string; ended: string | null; labels: string[]; note: string }
  control: { paused: boolean; scale: number } | null
  stats: { sample: { visit_rate: number; visits: { planned: number } } } | null
}

test('a run is paused, resumed and sped up without losing counts', async ({ page, stack, keyboard }) => {
  await stack.configure({ MAX_TOTAL_VISITS: 100_000 })
  await stack.api('POST', '/api/start', {})
  const status = () => stack.api<Status>('GET', '/api/status')
  const visits = async () => (await status()).stats?.sample.visits.planned ?? 0
  await expect.poll(visits).toBeGreaterThan(5)
  const { id } = (await status()).run
  await page.goto('/')
  await expect(page.getByRole('progressbar', { name: 'Daily cap' })).toBeVisible()

  const steer = page.getByRole('group', { name: 'Run controls' })
  await keyboard.press(steer.getByRole('button', { name: 'Pause' }))
  await expect(steer).toContainText('Paused: no new visits start.')
  await expect(page.getByText('No new visits start until you resume the run.')).toBeVisible()
  await expect(steer).toContainText('Measured over the last 10 s: 0 visits/s')
  const before = await visits()
  await keyboard.press(steer.getByRole('button', { name: 'Resume' }))
  await expect.poll(visits).toBeGreaterThan(before + 5)

  const rate = steer.getByLabel('Rate')
  await keyboard.fill(rate, 'fast')
  await expect(rate).toHaveAttribute('aria-invalid', 'true')
  await expect(steer.getByRole('button', { name: 'Set' })).toBeDisabled()
  await keyboard.fill(rate, '300')
  await page.keyboard.press('Enter')
  await expect(steer).toContainText('The rate is set to 300 % of the plan.')
  // The measured rate follows.
  await expect(steer).toContainText(/Measured over the last 10 s: (2[6-9]|3\d)(\.\d)? visits\/s/)
  await keyboard.press(steer.getByRole('button', { name: 'Reset' }))
  await expect(steer).toContainText('The rate is as planned.')
  expect((await status()).run).toMatchObject({ id, ended: null })
})

test('a run starts with a note, labels and an error brake of its own', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/')
  await keyboard.press(page.getByRole('link', { name: 'Start with a note, labels or an error brake…' }))
  await keyboard.fill(page.getByLabel('Note', { exact: true }), 'with the new index')
  await keyboard.fill(page.getByRole('textbox', { name: 'Labels' }), 'index')
  const share = page.getByLabel('Allowed error share')
  await expect(share).toHaveValue('0.5')
  await keyboard.fill(share, '7')
  await expect(share).toHaveAttribute('aria-invalid', 'true')
  await keyboard.fill(share, '0.5')
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Start' }))
  await expect(page.getByRole('progressbar', { name: 'Error brake' })).toBeVisible()
  const status = () => stack.api<Status>('GET', '/api/status')
  expect((await status()).run).toMatchObject({ note: 'with the new index', labels: ['index'] })
  const { config } = await stack.api<{ config: Record<string, unknown> }>('GET', '/api/config')
  expect(config.STOP_ERROR_SHARE).toBe(0)
})

test('thresholds are edited and evaluated during the run', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await page.goto('/configuration')
  await keyboard.fill(page.getByLabel('Search settings'), 'THRESHOLDS')
  await keyboard.press(page.getByRole('button', { name: 'Add threshold' }))
  await page.keyboard.press('Tab')
  await page.keyboard.press('Tab')
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.insertText('90%')
  await keyboard.press(page.getByRole('button', { name: 'Add threshold' }))
  await keyboard.choose(page.getByLabel('Threshold 2: metric'), 'Latency p99')
  const bound = page.getByLabel('Threshold 2: value')
  await keyboard.fill(bound, '1')
  const text = page.getByLabel('Thresholds', { exact: true })
  await expect(text).toHaveValue('error_share<90%, p99<1')
  await expect(text).toHaveAttribute('aria-invalid', 'true')
  await keyboard.fill(bound, '1ns')
  await expect(text).not.toHaveAttribute('aria-invalid')
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText('Saved.')).toBeVisible()

  await stack.api('POST', '/api/start', {})
  await page.goto('/')
  const verdicts = page.locator('section').filter({ has: page.getByRole('heading', { name: 'Thresholds' }) })
  await expect(verdicts.getByRole('listitem').filter({ hasText: 'error_share<90%' })).toContainText('Passed')
  await expect(verdicts.getByRole('listitem').filter({ hasText: 'p99<1ns' })).toContainText('Failed')
})

test('the generator supports every metric of the editor', async ({ stack }) => {
  await stack.configure({ THRESHOLDS: formatThresholds(metrics.map(defaultThreshold)) })
  const answer = await stack.request('PUT', '/api/config', { config: { THRESHOLDS: 'nonsense<1' } })
  const response = await answer.text()
  for (const m of metrics) expect(response).toContain(m)
})
