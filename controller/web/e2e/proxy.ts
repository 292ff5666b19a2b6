// A reverse proxy that serves the controller below a path.
import { createServer, request } from 'node:http'
import { type AddressInfo } from 'node:net'

export type Proxy = {
  /** The address of the controller behind it, without a trailing slash. */
  url: string
  /** Requested paths outside the prefix. */
  strays: string[]
  end: () => void
}

/**
 * Serves `target` below `prefix`, which it strips. `careless` forwards neither the browser's Host header nor Sec-Fetch-Site.
 */
export async function startProxy(target: string, prefix: string, careless = false): Promise<Proxy> {
  const strays: string[] = []
  const server = createServer((incoming, response) => {
    const path = incoming.url ?? ''
    if (!path.startsWith(prefix + '/')) {
      strays.push(path)
      response.writeHead(404).end()
      return
    }
    const headers = { ...incoming.headers }
    if (careless) {
      headers.host = new URL(target).host
      delete headers['sec-fetch-site']
    }
    const outgoing = request(target + path.slice(prefix.length), { method: incoming.method, headers }, (got) => {
      response.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(response)
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const end = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}${prefix}`, strays, end }
}
