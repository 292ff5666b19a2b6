import { expect, it } from 'vitest'
import { contentBody } from './body'

it('is the list as JSON, wherever it is cut', async () => {
  for (const content of [
    '',
    'https://a/\tTitle "x"\\\n',
    'é'.repeat((1 << 18) - 1) + '🎉'.repeat(3),
    'a\n'.repeat(1 << 19),
  ])
    expect(JSON.parse(await (await contentBody(content)).text()).content === content).toBe(true)
})

it('is given up when the list has changed meanwhile', async () => {
  const changed = new AbortController()
  const body = contentBody('a'.repeat(1 << 20), changed.signal)
  changed.abort()
  await expect(body).rejects.toThrow()
})
