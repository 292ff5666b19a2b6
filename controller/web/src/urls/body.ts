// The body of a request with a whole list, made a slice at a time: megabytes at once would be felt while typing.

/** How many characters are made into JSON before the page may do something else. */
const slice = 1 << 18

/** {"content": …} as JSON. Stops with the signal's reason when it is aborted. */
export async function contentBody(content: string, signal?: AbortSignal): Promise<Blob> {
  const parts: BlobPart[] = ['{"content":"']
  for (let from = 0; from < content.length; from += slice) {
    if (from) await new Promise((next) => setTimeout(next))
    signal?.throwIfAborted()
    // A pair of surrogates that is cut in two becomes two escapes, which make the pair again.
    parts.push(new Blob([JSON.stringify(content.slice(from, from + slice)).slice(1, -1)]))
  }
  return new Blob([...parts, '"}'])
}
