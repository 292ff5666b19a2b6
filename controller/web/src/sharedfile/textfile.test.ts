import { describe, expect, it } from 'vitest'
import { readTextFile } from './textfile'

const file = (name: string, ...parts: BlobPart[]) => new File(parts, name)

describe('a text file that is handed in', () => {
  it('comes with \\n at its line ends and without a byte order mark', async () => {
    const text = await readTextFile(file('a.txt', '\ufeffhttps://a/ä\r\nhttps://b/\rhttps://c/\n'), 100)
    expect(text).toBe('https://a/ä\nhttps://b/\nhttps://c/\n')
  })

  it('is read in UTF-16 too', async () => {
    expect(await readTextFile(file('w.txt', new Uint8Array([0xff, 0xfe, 65, 0, 13, 0, 10, 0])), 100)).toBe('A\n')
    expect(await readTextFile(file('w.txt', new Uint8Array([0xfe, 0xff, 0, 65])), 100)).toBe('A')
  })

  it('is refused with its size where it is too large', async () => {
    const large = file('big.txt', new Uint8Array(3 << 20).fill(97))
    await expect(readTextFile(large, 2 << 20)).rejects.toThrow('“big.txt” is too large: 3 MiB (limit 2 MiB)')
  })

  it('is refused with the line that is no UTF-8', async () => {
    const latin1 = file('l.txt', 'ok\nschön\n', new Uint8Array([0x63, 0x61, 0x66, 0xe9, 10]), 'ok\n')
    await expect(readTextFile(latin1, 100)).rejects.toThrow('(line 3)')
  })

  it('is refused where it is another kind of file', async () => {
    await expect(readTextFile(file('w.txt', new Uint8Array([0xff, 0xfe, 65])), 100)).rejects.toThrow('not a text file')
    await expect(readTextFile(file('p.png', new Uint8Array([0x89, 80, 0, 0])), 100)).rejects.toThrow('not a text file')
    await expect(readTextFile(file('e.txt'), 100)).rejects.toThrow('is empty')
  })
})
