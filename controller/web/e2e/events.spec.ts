import { expect, test } from './test'

type Events = { config: { click_events: { category: string; action: string; name: string }[] } }

test('events are added, sorted, corrected, saved and sent', async ({ page, stack, keyboard }) => {
  await stack.configure({ CLICK_EVENTS_PROBABILITY: 1 })
  const event = { category: 'Menu', action: 'Click', name: 'Old' }
  await stack.api('POST', '/api/events', { content: JSON.stringify({ click_events: [event], random_events: [event] }) })
  await page.goto('/events')
  const clicks = page.getByRole('region', { name: 'Click events' })
  await keyboard.press(clicks.getByRole('button', { name: 'Add event' }))
  await keyboard.fill(clicks.getByLabel('Category of event 2'), 'Tab')
  await keyboard.fill(clicks.getByLabel('Name of event 2'), 'New')
  const action = clicks.getByLabel('Action of event 2')
  await expect(action).toHaveAttribute('aria-invalid', 'true')
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled()
  await keyboard.fill(action, 'Open')
  await keyboard.press(clicks.getByRole('button', { name: 'Move event 2, New up' }))
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText('3 events saved.')).toBeVisible()
  const { config } = await stack.api<Events>('GET', '/api/events')
  expect(config.click_events.map((e) => e.name)).toEqual(['New', 'Old'])

  await stack.api('POST', '/api/start', {})
  await expect.poll(async () => (await stack.counts()).total.hits.event ?? 0).toBeGreaterThan(0)
  expect((await stack.counts()).violations).toBe(0)
})
