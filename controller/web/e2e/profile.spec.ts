import { expect, test } from './test'

type Saved = { config: Record<string, unknown> }

test('a profile is chosen, edited and saved by keyboard, as rows, bars and text', async ({ page, stack, keyboard }) => {
  await stack.configure({ TARGET_VISITS_PER_DAY: 24_000 })
  await page.goto('/configuration')
  const text = page.getByLabel('Load profile', { exact: true })
  await keyboard.pick(page.getByRole('radio', { name: 'Stages' }))
  await expect(text).toHaveValue('10m:0→24000, 1h:24000, 10m:24000→0')
  await expect(page.getByText('The run ends after 1 h 20 min.')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Remove stage 3' }))
  await keyboard.fill(page.getByLabel('Stage 2: For'), 'soon')
  await expect(text).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByText('Fix the invalid settings to see the chart.')).toBeVisible()
  await keyboard.fill(page.getByLabel('Stage 2: For'), '2h')
  // 10 minutes up to 1,000 an hour, then two hours of them.
  await expect(page.getByText('2,084 visits in 2 h 10 min')).toBeVisible()

  await keyboard.pick(page.getByRole('radio', { name: 'Weekly' }))
  const curve = page.getByLabel('Weekly curve', { exact: true })
  const bars = page.getByRole('group', { name: 'Weights by hour, Monday' })
  await expect(bars).toBeVisible()
  await expect(curve).toHaveValue('')
  await keyboard.reach(bars.getByRole('slider', { name: '12:00 to 13:00' }))
  await page.keyboard.press('ArrowRight')
  await expect(bars.getByRole('slider', { name: '13:00 to 14:00' })).toBeFocused()
  const before = Number(await bars.getByRole('slider', { name: '13:00 to 14:00' }).getAttribute('aria-valuenow'))
  await page.keyboard.press('PageDown')
  await expect
    .poll(async () => Number(await bars.getByRole('slider', { name: '13:00 to 14:00' }).getAttribute('aria-valuenow')))
    .toBeLessThan(before)
  expect((await curve.inputValue()).split(',')).toHaveLength(168)
  await keyboard.pick(page.getByRole('radio', { name: 'All the same' }))
  await keyboard.fill(page.getByLabel('Weight of 13:00'), '7')
  await page.keyboard.press('Enter')
  await expect(page.getByText('168,000 visits in 7 d')).toBeVisible()

  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText(/^Saved\./)).toBeVisible()
  const { config } = await stack.api<Saved>('GET', '/api/config')
  expect(config.LOAD_PROFILE).toBe('week')
  const weights = config.LOAD_CURVE as number[]
  expect([weights.length, weights[13]]).toEqual([24, 7])

  await stack.api('POST', '/api/start', {})
  await page.goto('/')
  await expect(page.getByRole('heading', { name: 'Load profile' })).toBeVisible()
  await expect(page.getByText('now', { exact: true })).toBeVisible()
})
