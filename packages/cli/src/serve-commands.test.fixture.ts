import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import type { CommandLine, Finished } from './command.test.fixture.js'
import { runCommand } from './run-command.js'

/** Process that runs the command lines that it receives, one after another, each with standard streams of its own. */

/** Replaces properties of an object while a function runs. */
async function replaced<T extends object, R>(target: T, values: Partial<T>, run: () => Promise<R>): Promise<R> {
  const before = Object.getOwnPropertyDescriptors(target)
  for (const [key, value] of Object.entries(values))
    Object.defineProperty(target, key, { value, configurable: true, enumerable: true, writable: true })
  try {
    return await run()
  } finally {
    for (const key of Object.keys(values)) {
      const own = before[key as keyof T]
      if (own === undefined) Reflect.deleteProperty(target, key)
      else Object.defineProperty(target, key, own)
    }
  }
}

async function finished({ args, input, env }: CommandLine): Promise<Finished> {
  const [stdin, stdout, stderr] = [new PassThrough(), new PassThrough(), new PassThrough()]
  stdin.end(input)
  const [out, err] = [text(stdout), text(stderr)]
  const argv = [...process.argv.slice(0, 2), ...args]
  const code = await replaced(process.env, env, () =>
    replaced(process, { stdin, stdout, stderr, argv } as object, async () => {
      process.exitCode = undefined
      return runCommand(args)
    }),
  )
  process.exitCode = undefined
  for (const stream of [stdout, stderr]) stream.end()
  return { code, out: await out, err: await err }
}

process.on('message', (line: CommandLine) => void finished(line).then((result) => process.send?.(result)))
process.on('disconnect', () => process.exit())
