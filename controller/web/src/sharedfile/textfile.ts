// Reading an uploaded text file.
import { words } from '../text'

const w = words.sharedFile.file
const mebi = 1 << 20
const short = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })

/**
 * Reads a file in UTF-8 or UTF-16 of up to `maxBytes`; normalises line ends to \n and removes a byte order mark. Throws an
 * Error with a message for the user.
 */
export async function readTextFile(file: File, maxBytes: number): Promise<string> {
  if (file.size > maxBytes)
    throw new Error(
      w.tooLarge(file.name, w.mebibytes(short.format(file.size / mebi)), w.mebibytes(short.format(maxBytes / mebi))),
    )
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await file.arrayBuffer())
  } catch {
    throw new Error(w.unreadable(file.name))
  }
  if (!bytes.length) throw new Error(w.empty(file.name))
  const wide = utf16(bytes)
  if (!wide && bytes.includes(0)) throw new Error(w.binary(file.name))
  try {
    return new TextDecoder(wide ?? 'utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n')
  } catch {
    throw new Error(wide ? w.binary(file.name) : w.notUtf8(file.name, badLine(bytes)))
  }
}

/** The UTF-16 variant of the byte order mark, if any. */
function utf16(bytes: Uint8Array): 'utf-16le' | 'utf-16be' | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return 'utf-16le'
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return 'utf-16be'
}

/** The first line that is not valid UTF-8, from 1. */
function badLine(bytes: Uint8Array): number {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  for (let line = 1, from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(10, from)
    try {
      decoder.decode(bytes.subarray(from, end < 0 ? undefined : end))
    } catch {
      return line
    }
    if (end < 0) break
    from = end + 1
  }
  return 1
}
