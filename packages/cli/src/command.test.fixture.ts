import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** A command that has ended: its exit code, and what it printed. */
export interface Finished {
  readonly code: number | null
  readonly out: string
  readonly err: string
}

/** Words after `attune`, the standard input, and environment variables of this command. */
export interface CommandLine {
  readonly args: readonly string[]
  readonly input: string
  readonly env: Readonly<Record<string, string>>
}

const main = fileURLToPath(new URL('./main.js', import.meta.url))
const server = fileURLToPath(new URL('./serve-commands.test.fixture.js', import.meta.url))

/** Starts a process that runs commands one after another. */
function startServer(folder: string, env: NodeJS.ProcessEnv) {
  const child = fork(server, { cwd: folder, env, execArgv: [] })
  const lost = new Promise<never>((_, reject) =>
    child.once('exit', (code) => reject(new Error(`the process that runs commands ended with ${String(code)}`))),
  )
  lost.catch(() => undefined)
  return {
    run(line: CommandLine): Promise<Finished> {
      child.send(line)
      return Promise.race([lost, once(child, 'message').then(([finished]) => finished as Finished)])
    },
    close: () => child.disconnect(),
  }
}

/**
 * Runs commands in a folder, with a state folder inside it.
 * @param own environment variables of all these commands
 */
export function commandsIn(folder: string, own: CommandLine['env'] = {}) {
  const env = { ...process.env, NO_COLOR: '1', XDG_STATE_HOME: join(folder, 'state'), ...own }
  let server: ReturnType<typeof startServer> | undefined

  return {
    /** Runs a command in the process that ran the one before, so that only the first one loads the program. */
    attune(args: readonly string[], input = '', more: CommandLine['env'] = {}): Promise<Finished> {
      server ??= startServer(folder, env)
      return server.run({ args, input, env: more })
    },

    /**
     * Runs a command in a process of its own, for what concerns the process: signals, standard streams, the end, a resumed run.
     * @param interruptAt text in stderr at which SIGINT is sent
     */
    attuneAlone(args: readonly string[], input = '', interruptAt?: string): Promise<Finished> {
      return new Promise((resolve) => {
        const child = spawn(process.execPath, [main, ...args], { cwd: folder, env })
        let [out, err, sent] = ['', '', false]
        child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()))
        child.stderr.on('data', (chunk: Buffer) => {
          err += chunk.toString()
          if (interruptAt === undefined || sent || !err.includes(interruptAt)) return
          sent = true
          child.kill('SIGINT')
        })
        child.on('close', (code) => resolve({ code, out, err }))
        child.stdin.on('error', () => undefined)
        child.stdin.end(input)
      })
    },

    close: (): void => server?.close(),
  }
}
