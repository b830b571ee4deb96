import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from '@jest/globals'

const program = fileURLToPath(new URL('./long-command-line.test.fixture.js', import.meta.url))

/** Runs a graph in a process with a long command line. */
function runWith(where: string, args: readonly string[]): { stdout: string; signal: string | null } {
  const { ORT_DISABLE_TELEMETRY: _, ...env } = process.env
  const { stdout, signal } = spawnSync(process.execPath, [program, where, ...args], { env, encoding: 'utf8' })
  return { stdout: stdout.trim(), signal }
}

const long = 'a'.repeat(100_000)

describe('a long command line', () => {
  // Without ORT_DISABLE_TELEMETRY, ONNX Runtime 1.30.0 ends in SIGSEGV from about 29,000 bytes (14,000 in a worker thread).
  test.each([
    ['the main thread', 'main', [long]],
    ['the main thread, of many arguments', 'main', Array.from({ length: 3000 }, () => 'a short text of a row')],
    ['a worker thread that shares the environment', 'shared', [long]],
    ['a worker thread, with a short command line', 'worker', []],
  ])('runs a graph in %s', (_, where, args) => {
    expect(runWith(where, args)).toEqual({ stdout: '2,4', signal: null })
  })

  test('is refused in a worker thread with its own environment', () => {
    const { stdout, signal } = runWith('worker', [long])
    expect(signal).toBeNull()
    expect(stdout).toMatch(
      /^ENGINE_UNAVAILABLE: expected a command line of at most 8000 bytes, got 100\d{3}: .*SHARE_ENV/s,
    )
  })
})
