import { token } from './stack'
import { expect, test } from './test'

test('the setup wizard starts traffic', async ({ page, stack, keyboard }) => {
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Send your first visits' })).toBeVisible()
  await keyboard.fill(page.getByLabel('Tracker URL'), stack.sink)
  await keyboard.fill(page.getByLabel('Token (optional)'), token)
  await keyboard.press(page.getByRole('button', { name: 'Next' }))
  await expect(page.getByText('Tracking will work')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Save and continue' }))
  await keyboard.pick(page.getByRole('radio', { name: /^Extreme/ }))
  await expect(page.getByRole('checkbox', { name: /^Stop automatically when more than half/ })).toBeChecked()
  await keyboard.press(page.getByRole('button', { name: 'Start traffic' }))
  await expect(page.getByText(/Traffic is flowing/)).toBeVisible()

  await expect(page.getByRole('main').getByText('Running', { exact: true })).toBeVisible()
  await expect(page.getByRole('progressbar', { name: 'Error brake' })).toBeVisible()
  await expect.poll(async () => (await stack.counts()).total.visits).toBeGreaterThan(0)
  expect((await stack.counts()).violations).toBe(0)
  await keyboard.press(page.getByRole('button', { name: 'Stop' }))
  await expect(page.getByRole('main').getByText('Stopped', { exact: true })).toBeVisible()
})

test('a URL that is not a Matomo is reported before anything is saved', async ({ page, stack }) => {
  await page.goto('/')
  await page.getByLabel('Tracker URL').fill(`${stack.url}/matomo.php`)
  await page.getByRole('button', { name: 'Next' }).click()
  await expect(page.getByText('Hits will be lost')).toBeVisible()
  const { config } = await stack.api<{ config: Record<string, unknown> }>('GET', '/api/config')
  expect(config.MATOMO_URL ?? '').toBe('')
})
