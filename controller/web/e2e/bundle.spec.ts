// The bundle is complete, and every route that it calls exists.
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, test } from './test'

const source = new URL('../src/', import.meta.url).pathname

test('every asset that the pages reference exists', async ({ stack }) => {
  const seen = new Set<string>()
  const visit = async (path: string) => {
    if (seen.has(path)) return
    seen.add(path)
    const answer = await stack.request('GET', path)
    expect(answer.status, path).toBe(200)
    if (!/\.(js|css|html)$|\/$/.test(path)) return
    expect(answer.headers.get('content-type'), path).toMatch(/javascript|css|html/)
    const text = await answer.text()
    for (const [, name] of text.matchAll(/["'`(=]((?:\.?\/)?(?:assets\/)?[\w.-]+\.(?:js|css|svg|png|woff2?))["'`)]/g))
      // Scripts refer to other scripts relative to themselves, and to images relative to the page.
      await visit(
        new URL(name!.replace(/^assets/, '/assets'), stack.url + (/\.(svg|png)$/.test(name!) ? '/' : path)).pathname,
      )
  }
  await visit('/')
  expect([...seen].filter((p) => p.endsWith('.js')).length).toBeGreaterThan(5)
})

test('every route that the client calls exists', async ({ stack }) => {
  const files = (await readdir(source, { recursive: true })).filter(
    (f) => /\.(ts|svelte)$/.test(f) && !f.includes('.gen.'),
  )
  const calls = new Set<string>()
  for (const file of files) {
    const text = await readFile(join(source, file), 'utf8')
    for (const [, method, path] of text.matchAll(/api\s*\.(GET|POST|PUT|PATCH|DELETE)\(\s*'([^']+)'/g))
      calls.add(`${method} ${path}`)
    for (const [, path] of text.matchAll(/(?:href="|EventSource\('|fetch\(')(\/(?:api|docs)[^"'?]*)/g))
      calls.add(`GET ${path}`)
  }
  expect(calls.size).toBeGreaterThan(20)
  const { paths } = (await (await stack.request('GET', '/openapi.json')).json()) as { paths: Record<string, object> }
  for (const call of calls) {
    const [method, path] = call.split(' ') as [string, string]
    if (path.startsWith('/api')) expect(Object.keys(paths[path] ?? {}), call).toContain(method.toLowerCase())
    if (method !== 'GET' || path === '/api/stream') continue
    const answer = await stack.request(method, path.replace(/\{\w+\}/g, '1'))
    const text = await answer.text()
    expect(text, call).not.toContain('no resource at this path')
    // 404: unknown id; 409: nothing was started yet; 422: a parameter is missing.
    expect([200, 404, 409, 422], call).toContain(answer.status)
  }
})

test('the first load is at most 180 kB gzipped', async ({ page, stack }) => {
  await stack.configure()
  const loaded: string[] = []
  page.on('response', (r) => {
    if (!r.url().includes('/api/')) loaded.push(r.url())
  })
  await page.goto('/')
  await expect(page.getByRole('button', { name: 'Start', exact: true })).toBeVisible()
  await page.waitForLoadState('networkidle') // charts and all
  const sizes = await Promise.all(
    [...new Set(loaded)].map(async (url) => gzipSync(Buffer.from(await (await fetch(url)).arrayBuffer())).length),
  )
  const total = sizes.reduce((sum, n) => sum + n, 0)
  test
    .info()
    .annotations.push({ type: 'first load', description: `${(total / 1000).toFixed(1)} kB in ${sizes.length} files` })
  console.log(`first load: ${(total / 1000).toFixed(1)} kB gzipped in ${sizes.length} files of ${stack.url}`)
  expect(total).toBeLessThanOrEqual(180_000)
})

test('the interface works while the browser is offline', async ({ page }) => {
  await page.goto('/funnels')
  await expect(page.getByText('No funnels yet')).toBeVisible()
  await page.evaluate(() => dispatchEvent(new Event('offline')))
  await page.getByRole('navigation').getByRole('link', { name: 'Presets' }).click()
  await expect(page.getByRole('heading', { name: 'Medium' })).toBeVisible()
})

test('the interface reports when the controller is unreachable and when it is back', async ({ page, stack }) => {
  await page.goto('/funnels')
  await expect(page.getByText('Connected')).toBeVisible()
  const address = new URL(stack.url).host
  await stack.stopController()
  await expect(page.getByText('Controller unreachable, reconnecting…').first()).toBeVisible()
  await stack.startController(address)
  // Sessions survive the restart.
  await expect(page.getByText('Connected')).toBeVisible()
  await expect(page.getByRole('heading', { name: 'Funnels' })).toBeVisible()
})
