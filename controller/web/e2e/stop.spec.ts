import { expect, test } from './test'

type Status = {
  run: { reason: string; exit_code: number; summary?: { hits: { abandoned: number }; cut_visits?: number } }
  stats: { sample: { open_visits: number } } | null
}

test('a stop finishes open visits', async ({ page, stack, keyboard }) => {
  await stack.configure()
  await stack.api('POST', '/api/start', {})
  const status = () => stack.api<Status>('GET', '/api/status')
  await expect.poll(async () => (await status()).stats?.sample.open_visits ?? 0, { timeout: 30_000 }).toBeGreaterThan(2)
  await page.goto('/')
  await keyboard.press(page.getByRole('button', { name: 'Stop', exact: true }))
  await expect(page.getByText('Stopped after its open visits had finished.')).toBeVisible({ timeout: 60_000 })
  const { run } = await status()
  expect(run).toMatchObject({ reason: 'stopped', exit_code: 0, summary: { hits: { abandoned: 0 } } })
})

test('a stop counts down, and stopping now shows how many visits it cuts off', async ({ page, stack, keyboard }) => {
  await stack.configure({ PAUSE_BETWEEN_PVS_MIN: 50, PAUSE_BETWEEN_PVS_MAX: 60, BOUNCE_PROBABILITY: 0 })
  await stack.api('POST', '/api/start', {})
  const status = () => stack.api<Status>('GET', '/api/status')
  await expect.poll(async () => (await status()).stats?.sample.open_visits ?? 0, { timeout: 30_000 }).toBeGreaterThan(2)
  await page.goto('/')
  await keyboard.press(page.getByRole('button', { name: 'Stop', exact: true }))
  await expect(page.getByText(/^\d+ open visits; any left in \d+ s will be cut off\.$/)).toBeVisible({
    timeout: 30_000,
  })
  await expect(page.locator('#does-force')).toHaveText(
    /^\s*Ends the run immediately and cuts off \d+ open visits\.\s*$/,
  )
  await keyboard.press(page.getByRole('button', { name: 'Stop now' }))
  await expect(page.getByText(/^stopped; \d+ open visits were cut off$/)).toBeVisible({ timeout: 30_000 })
  const { run } = await status()
  expect(run.reason).toBe('interrupted')
  expect(run.summary?.cut_visits).toBeGreaterThan(2)
})
