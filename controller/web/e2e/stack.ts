// A controller with its own data folder and a sink that counts like Matomo, for one test.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bin, type Program, root, start } from './program'

/** A token that the sink accepts as one with write access. */
export const token = '0123456789abcdef0123456789abcdef'
export const key = 'the-key-of-the-browser-tests'

export type Counts = { violations: number; total: { visits: number; hits: Record<string, number> } }

export class Stack {
  private sinks: Program[] = []

  private constructor(
    private controller: Program,
    private readonly folder: string,
    /** The address of the sink's tracking endpoint. */
    readonly sink: string,
  ) {}

  static async start(): Promise<Stack> {
    const folder = await mkdtemp(join(tmpdir(), 'trafficinator-e2e-'))
    const sink = await startSink('127.0.0.1:0')
    const stack = new Stack(await startController('127.0.0.1:0', folder), folder, sink.found)
    stack.sinks.push(sink)
    return stack
  }

  /** Stops the controller; `startController` starts it again at an address, with the same data. */
  stopController() {
    return this.controller.end()
  }

  async startController(address: string) {
    this.controller = await startController(address, this.folder)
  }

  /** The address of the controller. */
  get url() {
    return this.controller.found
  }

  /** Starts another sink, for instance with --error-share; it ends with the stack if not before. */
  async addSink(address = '127.0.0.1:0', ...flags: string[]): Promise<{ url: string; end: () => Promise<void> }> {
    const sink = await startSink(address, ...flags)
    this.sinks.push(sink)
    return { url: sink.found, end: sink.end }
  }

  /** Calls the API with the key; throws if it fails. */
  async api<T = unknown>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await this.request(method, path, body)
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`)
    return (await response.json().catch(() => undefined)) as T
  }

  request(method: string, path: string, body?: unknown) {
    return fetch(this.url + path, {
      method,
      headers: { 'X-API-Key': key, ...(body !== undefined && { 'Content-Type': 'application/json' }) },
      body: body === undefined ? undefined : JSON.stringify(body),
    })
  }

  /** The counts of a sink. */
  async counts(sink = this.sink): Promise<Counts> {
    return (await fetch(new URL('/sink/counts', sink))).json() as Promise<Counts>
  }

  /** Configures the sink as target of about ten visits per second, each a few seconds long. */
  configure(config: Record<string, unknown> = {}) {
    return this.api('PUT', '/api/config', {
      config: { ...lively, MATOMO_URL: this.sink, MATOMO_TOKEN_AUTH: token, ...config },
    })
  }

  /** A file of the exchange folder, which the generator reads. */
  file(name: string) {
    const path = join(this.folder, 'exchange', name)
    return { read: () => readFile(path, 'utf8'), write: (text: string) => writeFile(path, text) }
  }

  async end() {
    await this.controller.end()
    await Promise.all(this.sinks.map((p) => p.end()))
    await rm(this.folder, { recursive: true, force: true })
  }
}

/** Ten visits per second. */
export const lively = {
  TARGET_VISITS_PER_DAY: 864_000,
  BOUNCE_PROBABILITY: 0.2,
  PAUSE_BETWEEN_PVS_MIN: 0.2,
  PAUSE_BETWEEN_PVS_MAX: 0.5,
}

const startController = (address: string, folder: string) =>
  start(
    'controller',
    ['serve'],
    {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      LISTEN_ADDR: address,
      DATA_DIR: folder,
      RUNTIME: 'process',
      LOADGEN_BIN: `${bin}/loadgen`,
      PRESETS_DIR: `${root}presets`,
      CONTROL_UI_API_KEY: key,
      LOG_LEVEL: 'WARNING',
    },
    /listens at (http:\/\/\S+)/,
  )

/** Starts a sink that listens on `address`. */
const startSink = (address: string, ...flags: string[]) =>
  start(
    'loadgen',
    ['sink', '--addr', address, '--quiet', '--token', token, ...flags],
    {},
    /sink listens on (http:\/\/\S+)/,
  )
