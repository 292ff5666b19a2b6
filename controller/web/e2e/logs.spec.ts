import { expect, test } from './test'

test('the log is live, is filtered by the server, and pauses without losing lines', async ({
  page,
  stack,
  keyboard,
}) => {
  await stack.configure({ STOP_AFTER_VISITS: 5 })
  await page.goto('/logs')
  await expect(page.getByText('No log lines yet')).toBeVisible()
  await stack.api('POST', '/api/start', {})
  const log = page.getByRole('log')
  await expect(log).toContainText('run')

  const request = page.waitForRequest((r) => r.url().includes('/api/logs') && r.url().includes('level=ERROR'))
  await keyboard.choose(page.getByLabel('Level'), 'Errors')
  await request
  await keyboard.choose(page.getByLabel('Level'), 'All')
  await keyboard.fill(page.getByLabel('Filter'), 'no line has this')
  await expect(page.getByText('No lines match')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Show all lines' }))
  await expect(log).toContainText('run')

  await stack.api('POST', '/api/targets', { name: 'north, west', url: stack.sink, site_id: 1 })
  await page.reload()
  const both = page.waitForRequest((r) => {
    const { pathname, searchParams } = new URL(r.url())
    return pathname === '/api/stream' && searchParams.getAll('filter').join('|') === 'north, west|run'
  })
  await keyboard.choose(page.getByLabel('Target'), 'north')
  await keyboard.fill(page.getByLabel('Filter'), 'run')
  await both
  await expect(page.getByText('No lines match')).toBeVisible()
  await keyboard.press(page.getByRole('button', { name: 'Show all lines' }))
  await expect(log).toContainText('run')

  await keyboard.press(page.getByRole('button', { name: 'Pause' }))
  await expect
    .poll(async () => (await stack.api<{ run: { ended: string | null } }>('GET', '/api/status')).run.ended)
    .toBeTruthy()
  await stack.api('POST', '/api/start', {})
  const resume = page.getByRole('button', { name: /Resume · \d+ new/ })
  await expect(resume).toBeVisible()
  const before = Number((await page.getByText(/^[\d,]+ lines? shown/).textContent())!.replace(/\D/g, ''))
  const buffered = Number(/\d+/.exec((await resume.textContent())!)![0])
  await keyboard.press(resume)
  await expect
    .poll(async () => Number((await page.getByText(/^[\d,]+ lines? shown/).textContent())!.replace(/\D/g, '')))
    .toBeGreaterThanOrEqual(before + buffered)
})
