// A proxy between the browser and a controller, as somebody puts one before several things.
import { createServer, request } from 'node:http'
import { type AddressInfo } from 'node:net'

export type Proxy = {
  /** The address of the controller behind it, without a slash at its end. */
  url: string
  /** Paths that were asked outside of it. */
  strays: string[]
  end: () => void
}

/**
 * Offers what is at `target` below `prefix`, which it takes away. `careless` leaves the host that the browser asked out, and with
 * it what browsers tell only sites that they trust.
 */
export async function startProxy(target: string, prefix: string, careless = false): Promise<Proxy> {
  const strays: string[] = []
  const server = createServer((asked, answer) => {
    const path = asked.url ?? ''
    if (!path.startsWith(prefix + '/')) {
      strays.push(path)
      answer.writeHead(404).end()
      return
    }
    const headers = { ...asked.headers }
    if (careless) {
      headers.host = new URL(target).host
      delete headers['sec-fetch-site']
    }
    const passed = request(target + path.slice(prefix.length), { method: asked.method, headers }, (got) => {
      answer.writeHead(got.statusCode ?? 502, got.headers)
      got.pipe(answer)
    })
    passed.on('error', () => answer.destroy())
    answer.on('close', () => passed.destroy())
    asked.pipe(passed)
  })
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  const end = () => {
    server.close()
    server.closeAllConnections()
  }
  return { url: `http://127.0.0.1:${port}${prefix}`, strays, end }
}
