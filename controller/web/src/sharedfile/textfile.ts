// Reading an uploaded text file.

const mebi = 1 << 20
const short = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 })
const mebibytes = (n: number) => `${short.format(n / mebi)} MiB`

/**
 * Reads a file in UTF-8 or UTF-16 of up to `maxBytes`; normalises line ends to \n and removes a byte order mark. Throws an
 * Error with a message for the user.
 */
export async function readTextFile(file: File, maxBytes: number): Promise<string> {
  if (file.size > maxBytes)
    throw new Error(`“${file.name}” is too large: ${mebibytes(file.size)} (limit ${mebibytes(maxBytes)}).`)
  const binary = `“${file.name}” is not a text file.`
  let bytes: Uint8Array
  try {
    bytes = new Uint8Array(await file.arrayBuffer())
  } catch {
    throw new Error(`“${file.name}” could not be read.`)
  }
  if (!bytes.length) throw new Error(`“${file.name}” is empty.`)
  const wide = utf16(bytes)
  if (!wide && bytes.includes(0)) throw new Error(binary)
  try {
    return new TextDecoder(wide ?? 'utf-8', { fatal: true }).decode(bytes).replace(/\r\n?/g, '\n')
  } catch {
    throw new Error(
      wide
        ? binary
        : `“${file.name}” is not valid UTF-8 (line ${badLine(bytes)}). Save it as UTF-8 and upload it again.`,
    )
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
