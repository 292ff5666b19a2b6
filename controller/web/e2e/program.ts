// Programs of this repository, run beside a test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The root of the repository; programs run there. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** Where `make build` has put them. */
export const bin = process.env.TRAFFICINATOR_BIN ?? `${root}bin`

export type Program = { /** What it said of itself. */ found: string; end: () => Promise<void> }

/** Starts a program and waits for the line in which it tells what the group of `pattern` catches. */
export async function begin(
  name: string,
  args: string[],
  env: Record<string, string>,
  pattern: RegExp,
): Promise<Program> {
  const child = spawn(`${bin}/${name}`, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const said: string[] = []
  const found = await new Promise<string>((resolve, reject) => {
    const listen = (line: string) => {
      said.push(line)
      const match = pattern.exec(line)
      if (match?.[1]) resolve(match[1])
    }
    createInterface(child.stdout).on('line', listen)
    createInterface(child.stderr).on('line', listen)
    child.on('error', (e) => reject(new Error(`start ${bin}/${name}: ${e.message}; run make build first`)))
    child.on('exit', (code) => reject(new Error(`${name} ended at once with ${code}: ${said.join('\n')}`)))
  })
  return { found, end: () => end(child) }
}

async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await gone
  clearTimeout(kill)
}
