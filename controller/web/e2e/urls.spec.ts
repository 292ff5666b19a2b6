import { expect, test } from './test'

test('an upload with invalid lines is corrected and saved', async ({ page, stack, keyboard }) => {
  await page.goto('/urls')
  const editor = page.getByRole('textbox', { name: 'Page list' })
  await expect(editor).toBeVisible()
  const chooser = page.waitForEvent('filechooser')
  await keyboard.press(page.getByRole('button', { name: 'Upload' }))
  await (
    await chooser
  ).setFiles({
    name: 'mine.txt',
    mimeType: 'text/plain',
    buffer: Buffer.from('https://a.test/good\tGood\nnot an address\nftp://a.test/bad\n'),
  })
  await expect(page.getByText('2 errors')).toBeVisible()
  await expect(page.getByRole('button', { name: 'Save', exact: true })).toBeDisabled()

  await keyboard.press(page.getByRole('button', { name: /Line 2/ }).first())
  await expect(editor).toBeFocused()
  for (const line of ['https://a.test/second', 'https://a.test/third']) {
    await page.keyboard.press('Home')
    await page.keyboard.press('Shift+End')
    await page.keyboard.insertText(line)
    await page.keyboard.press('ArrowDown')
  }
  await expect(page.getByRole('status').filter({ hasText: '3 pages' })).not.toContainText('error')
  await keyboard.press(page.getByRole('button', { name: 'Save', exact: true }))
  await expect(page.getByText('3 pages saved.')).toBeVisible()
  const { urls } = await stack.api<{ urls: { url: string }[] }>('GET', '/api/urls')
  expect(urls.map((u) => u.url)).toEqual(['https://a.test/good', 'https://a.test/second', 'https://a.test/third'])
})

test('fifty thousand lines can be scrolled and edited', async ({ page, stack }) => {
  const content = Array.from({ length: 50_000 }, (_, i) => `https://a.test/category-${i % 10}/page-${i}\n`).join('')
  await stack.api('POST', '/api/urls', { content })
  await page.goto('/urls')
  const editor = page.getByRole('textbox', { name: 'Page list' })
  await expect(editor).toContainText('page-0')
  await editor.focus()
  await page.keyboard.press('ControlOrMeta+End')
  await expect(editor).toContainText('page-49999')
  await page.keyboard.insertText('https://a.test/the-last-one')
  await expect(editor).toContainText('the-last-one')
  // Only visible lines are rendered.
  expect(await page.locator('.cm-line').count()).toBeLessThan(500)
})
