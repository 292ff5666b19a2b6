// The request body of an entire list, encoded in slices: encoding megabytes at once would delay typing.

/** Characters encoded before the page may handle other events. */
const slice = 1 << 18

/** {"content": …} as JSON. Stops with the signal's reason when it is aborted. */
export async function contentBody(content: string, signal?: AbortSignal): Promise<Blob> {
  const parts: BlobPart[] = ['{"content":"']
  for (let from = 0; from < content.length; from += slice) {
    if (from) await new Promise((next) => setTimeout(next))
    signal?.throwIfAborted()
    // A surrogate pair that is split becomes two escapes, which decode to the pair.
    parts.push(new Blob([JSON.stringify(content.slice(from, from + slice)).slice(1, -1)]))
  }
  return new Blob([...parts, '"}'])
}
