import { readFile } from 'node:fs/promises'
import type { Page } from '@playwright/test'
import type { Stack } from './stack'
import { expect, test } from './test'

type Status = { run: { id: string; ended: string | null } | null }
type Head = { id: string; note: string; labels: string[] | null; seed: number }
type Summary = { hits: { accepted: number; planned: number } }
type Stored = { summary: Summary }

/** Runs until up to twenty visits have been sent, as far as this machine had time; returns the id of the run. */
async function finished(stack: Stack, config: Record<string, unknown> = {}, description: object = {}): Promise<string> {
  await stack.configure({ STOP_AFTER_VISITS: 20, RUN_SEED: 7, ...config })
  await stack.api('POST', '/api/start', description)
  return ended(stack)
}

/** Waits until the current run has ended; returns its id. */
async function ended(stack: Stack): Promise<string> {
  const run = async () => (await stack.api<Status>('GET', '/api/status')).run
  await expect.poll(async () => (await run())?.ended).toBeTruthy()
  return (await run())!.id
}

const row = (page: Page, id: string) => page.getByRole('row').filter({ has: page.getByText(id, { exact: false }) })

test('a run is rerun and compared without a difference', async ({ page, stack, keyboard }) => {
  const first = await finished(stack, {}, { labels: ['baseline'] })
  await stack.configure({ STOP_AFTER_VISITS: 5 }) // a rerun does not use it
  await page.goto('/runs')
  await keyboard.press(page.getByRole('button', { name: `Rerun ${first}` }))
  await expect(page.getByText(/^Rerun started as/)).toBeVisible()
  await expect(page).toHaveURL(`${stack.url}/`)
  const second = await ended(stack)
  await keyboard.press(page.getByRole('link', { name: `Last run ${second}` }))
  await keyboard.press(page.getByRole('button', { name: 'Compare with previous run' }))
  await expect(page).toHaveURL(`${stack.url}/runs/compare/${first}/${second}`)
  for (const same of ['Seed', 'Settings', 'Files']) await expect(page.getByText(`${same}: same`)).toBeVisible()
  const hits = page.getByRole('rowgroup').filter({ has: page.getByRole('rowheader', { name: 'Hits', exact: true }) })
  await expect(hits.getByRole('row', { name: /^Planned/ })).toContainText('Equal')
  const { labels, note } = await stack.api<Head>('GET', `/api/runs/${second}`)
  expect(labels).toEqual(['baseline'])
  expect(note).toContain(first)
})

test('a slower target changes only latency and rates; changed settings are listed', async ({
  page,
  stack,
  keyboard,
}) => {
  const first = await finished(stack)
  const slow = await stack.addSink('127.0.0.1:0', '--delay', '1s')
  const second = await finished(stack, { MATOMO_URL: slow.url })
  await page.goto('/runs')
  await expect(page.getByRole('button', { name: 'Compare', exact: true })).toBeDisabled()
  for (const id of [second, first])
    await keyboard.toggle(page.getByRole('checkbox', { name: `Select ${id} to compare` }))
  await keyboard.press(page.getByRole('button', { name: 'Compare', exact: true }))
  await expect(page).toHaveURL(`${stack.url}/runs/compare/${first}/${second}`)
  await expect(page.getByText('Settings: different')).toBeVisible()
  await expect(page.getByRole('row', { name: /Tracker URL/ })).toContainText(slow.url)
  await keyboard.toggle(page.getByRole('checkbox', { name: 'Only significant differences' }))
  const numbers = page.getByRole('region', { name: 'Metrics' })
  await expect(numbers.getByRole('row', { name: /^p50/ })).toContainText('Significant')
  // If the machine was too busy to send all hits, other figures differ too.
  const records = await Promise.all([first, second].map((id) => stack.api<Stored>('GET', `/api/runs/${id}`)))
  if (records.every(({ summary: { hits } }) => hits.accepted === hits.planned))
    // A slower server delays the last visit, so the same hits take longer.
    for (const group of await numbers.locator('th[scope=rowgroup]').allTextContents())
      expect(['Latency', 'Rates']).toContain(group)
  for (const chart of ['Accepted hits per second', 'Latency p95', 'Errors per second'])
    await expect(page.getByRole('figure', { name: new RegExp(`^${chart} of both runs`) })).toBeVisible()
})

test('a run gets a note and labels and is found by them', async ({ page, stack, keyboard }) => {
  const first = await finished(stack)
  const second = await finished(stack, {}, { note: 'nothing changed', labels: ['other'] })
  await page.goto(`/runs/${first}`)
  await keyboard.press(page.getByRole('button', { name: 'Note and labels' }))
  await keyboard.fill(page.getByLabel('Note', { exact: true }), 'before the new index')
  await keyboard.fill(page.getByRole('textbox', { name: 'Labels' }), 'baseline, php 8.4')
  await keyboard.press(page.getByRole('dialog').getByRole('button', { name: 'Save' }))
  await expect(page.getByText('before the new index')).toBeVisible()

  await keyboard.press(page.getByRole('button', { name: 'baseline' }))
  await expect(row(page, first)).toBeVisible()
  await expect(row(page, second)).toHaveCount(0)
  await keyboard.press(page.getByRole('button', { name: 'Clear filters' }))
  await expect(row(page, second)).toBeVisible()
  await keyboard.choose(page.getByLabel('Label', { exact: true }), 'other')
  await expect(row(page, first)).toHaveCount(0)
  await keyboard.press(page.getByRole('button', { name: 'Clear filters' }))
  await keyboard.fill(page.getByLabel('Search runs'), 'NEW INDEX')
  await expect(row(page, second)).toHaveCount(0)
  await expect(row(page, first)).toBeVisible()
  await keyboard.choose(page.getByLabel('End reason'), 'Time limit')
  await expect(page.getByText('No runs match these filters.')).toBeVisible()
})

test('a deleted run can be restored', async ({ page, stack, keyboard }) => {
  const id = await finished(stack)
  await page.goto('/runs')
  await keyboard.press(page.getByRole('button', { name: `Delete ${id}` }))
  await expect(page.getByText('No runs yet')).toBeVisible()
  expect((await stack.request('GET', `/api/runs/${id}`)).status).toBe(404)
  await keyboard.press(page.getByRole('button', { name: 'Undo' }))
  await expect(row(page, id)).toBeVisible()
  expect((await stack.request('GET', `/api/runs/${id}`)).status).toBe(200)
})

test('a run is exported as HTML, JSON and JUnit XML', async ({ page, stack, keyboard, context }) => {
  const id = await finished(stack, { THRESHOLDS: 'rejected=0, p95<1ns' })
  const { summary } = await stack.api<Stored>('GET', `/api/runs/${id}`)
  await page.goto(`/runs/${id}`)
  await expect(page.getByText('Failed', { exact: true }).first()).toBeVisible()
  const exported = async (name: string) => {
    const download = page.waitForEvent('download')
    await keyboard.press(page.getByRole('link', { name }))
    const file = await download
    expect(file.suggestedFilename()).toContain(id)
    return file.path()
  }
  const json = JSON.parse(await readFile(await exported('JSON'), 'utf8')) as Stored
  expect(json.summary.hits).toEqual(summary.hits)
  const junit = await readFile(await exported('JUnit XML'), 'utf8')
  expect(junit).toContain('failures="1"')

  const report = await context.newPage()
  const messages: string[] = []
  report.on('console', (m) => messages.push(m.text()))
  await report.goto(`file://${await exported('HTML')}`)
  await expect(report.getByText(id).first()).toBeVisible()
  await expect(report.getByText(summary.hits.accepted.toLocaleString('en')).first()).toBeVisible()
  expect(messages).toEqual([])
})

test('a rerun during a run asks for confirmation', async ({ page, stack, keyboard }) => {
  const first = await finished(stack)
  await stack.configure()
  await stack.api('POST', '/api/start', {})
  await page.goto(`/runs/${first}`)
  await keyboard.press(page.getByRole('button', { name: 'Rerun' }))
  await keyboard.press(page.getByRole('button', { name: 'Stop and rerun' }))
  await expect(page.getByText(/^Rerun started as/)).toBeVisible()
  const { seed } = await stack.api<Head>('GET', `/api/runs/${await ended(stack)}`)
  expect(seed).toBe(7)
})
