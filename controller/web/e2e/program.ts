// Runs this repository's programs during a test.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** The root of the repository; programs run there. */
export const root = fileURLToPath(new URL('../../../', import.meta.url))

/** The folder of the programs that `make build` has built. */
export const bin = process.env.TRAFFICINATOR_BIN ?? `${root}bin`

export type Program = {
  /** The matched part of its output, such as its address. */ found: string
  end: () => Promise<void>
}

/** Starts a program and waits for a line of its output that matches `pattern`, with one group. */
export async function start(
  name: string,
  args: string[],
  env: Record<string, string>,
  pattern: RegExp,
): Promise<Program> {
  const child = spawn(`${bin}/${name}`, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] })
  const output: string[] = []
  const found = await new Promise<string>((resolve, reject) => {
    const listen = (line: string) => {
      output.push(line)
      const match = pattern.exec(line)
      if (match?.[1]) resolve(match[1])
    }
    createInterface(child.stdout).on('line', listen)
    createInterface(child.stderr).on('line', listen)
    child.on('error', (e) => reject(new Error(`start ${bin}/${name}: ${e.message}; run make build first`)))
    child.on('exit', (code) => reject(new Error(`${name} exited with ${code}: ${output.join('\n')}`)))
  })
  return { found, end: () => end(child) }
}

async function end(child: ChildProcess) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const kill = setTimeout(() => child.kill('SIGKILL'), 15_000)
  await exited
  clearTimeout(kill)
}
