// make pictures: takes the pictures of docs/img from a demo that has run for two minutes.
import { chromium } from '@playwright/test'
import { spawn } from 'node:child_process'

const root = new URL('../..', import.meta.url).pathname
// dashboard.jpg, configuration.jpg and phone.jpg are what README.md and docs/web-ui.md show.
const pictures = [
  { name: 'dashboard', path: '/', viewport: { width: 1280, height: 1000 }, colorScheme: 'light' },
  { name: 'configuration', path: '/configuration', viewport: { width: 1280, height: 1000 }, colorScheme: 'light' },
  { name: 'phone', path: '/', viewport: { width: 390, height: 844 }, colorScheme: 'dark' },
]
const secondsOfTraffic = 120

// In a process group of its own, so that a signal reaches what `go run` started.
const demo = spawn('go', ['run', './controller/demo'], {
  cwd: root,
  detached: true,
  stdio: ['ignore', 'pipe', 'inherit'],
})
const ended = new Promise((resolve) => demo.on('close', resolve))
try {
  const link = await new Promise((resolve, reject) => {
    let text = ''
    demo.stdout.on('data', (chunk) => {
      text += chunk
      const found = /(http:\S+\/#code=\S+)/.exec(text)
      if (found) resolve(found[1])
    })
    ended.then(() => reject(new Error('the demo ended before it printed its link')))
  })
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  })
  const first = await browser.newContext({ locale: 'en-GB', viewport: pictures[0].viewport })
  const page = await first.newPage()
  await page.goto(link)
  await page.waitForTimeout(secondsOfTraffic * 1000)
  const storageState = await first.storageState()
  for (const { name, path, viewport, colorScheme } of pictures) {
    const context = await browser.newContext({ locale: 'en-GB', storageState, viewport, colorScheme })
    const page = await context.newPage()
    await page.goto(new URL(path, link).href)
    await page.waitForTimeout(5000) // for the charts
    await page.screenshot({ path: `${root}docs/img/${name}.jpg`, quality: 82, type: 'jpeg' })
    console.log(`docs/img/${name}.jpg`)
  }
  await browser.close()
} finally {
  if (demo.exitCode === null) process.kill(-demo.pid, 'SIGINT')
  await ended
}
