// The HTML export of a run, opened from disk.
import { expect, test } from '@playwright/test'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { promisify } from 'node:util'
import { bin, root, start } from './program'
import { token } from './stack'

test('an HTML export opens from disk, sends no requests, and shows the figures of the run summary', async ({
  browser,
}, info) => {
  const sink = await start('loadgen', ['sink', '--addr', '127.0.0.1:0', '--quiet'], {}, /(http:\S+)/)
  const page = info.outputPath('report.html')
  const ledger = info.outputPath('ledger.json')
  await promisify(execFile)(
    `${bin}/loadgen`,
    ['run', '--profile', '4s:1000000', '--threshold', 'rejected=0', '--threshold', 'visits>0', '--report', page],
    {
      cwd: root,
      env: {
        MATOMO_URL: sink.found,
        MATOMO_TOKEN_AUTH: token,
        TELEMETRY_ADDR: 'off',
        SUMMARY_FILE: ledger,
        PAUSE_BETWEEN_PVS_MAX: '0.5',
      },
    },
  )
  await sink.end()
  const summary = JSON.parse(await readFile(ledger, 'utf8'))

  for (const [width, colorScheme] of [
    [1280, 'light'],
    [390, 'dark'],
  ] as const) {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme })
    const tab = await context.newPage()
    const faults: string[] = []
    tab.on('console', (m) => faults.push(m.text()))
    tab.on('pageerror', (e) => faults.push(e.message))
    tab.on('request', (r) => r.url() === `file://${page}` || faults.push(`requested ${r.url()}`))
    await context.addInitScript(() =>
      addEventListener('securitypolicyviolation', (e) => console.error(`${e.violatedDirective} ${e.blockedURI}`)),
    )
    await tab.goto(`file://${page}`)

    await expect(tab.getByRole('heading', { level: 1 })).toHaveText(summary.run_id)
    await expect(tab.locator('#verdict')).toHaveText('Passed')
    await expect(tab.locator('#hits-accepted')).toHaveAttribute('value', `${summary.hits.accepted}`)
    await expect(tab.locator('#visits-begun')).toHaveText(`${summary.visits.planned}`)
    const chart = tab.getByRole('img', { name: /^Hits per second/ })
    expect((await chart.boundingBox())!.width).toBeGreaterThan(200)
    expect(await tab.evaluate(() => getComputedStyle(document.querySelector('.card')!).borderTopLeftRadius)).toBe('8px')
    expect(await tab.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
    expect(faults, 'messages of the console and requests').toEqual([])
    await context.close()
  }
})
