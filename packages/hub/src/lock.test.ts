import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { withLock } from './lock.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-lock-'))
  path = join(folder, 'locks', 'x.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const never = new AbortController().signal
const quietly = { signal: never, onWait: () => undefined }
/** A process that holds the lock; resolves when it does. */
const holder = (milliseconds: number): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [
    fileURLToPath(new URL('./lock.test.fixture.js', import.meta.url)),
    path,
    String(milliseconds),
  ])
  return new Promise((held) => child.stdout.once('data', () => held(child)))
}

describe('a lock', () => {
  it('is held by one at a time, here and between processes, and left behind by none', async () => {
    let [inside, most] = [0, 0]
    const act = async (): Promise<void> => {
      most = Math.max(most, ++inside)
      await wait(5)
      inside--
    }
    await Promise.all(Array.from({ length: 5 }, () => withLock(path, act, quietly)))
    expect(most).toBe(1)
    const child = await holder(400)
    const ended = new Promise((done) => child.once('close', done))
    let waited = false
    await withLock(path, () => Promise.resolve(), { signal: never, onWait: () => (waited = true) })
    expect(waited).toBe(true)
    await ended
    expect(existsSync(path)).toBe(false)
  })

  it('of a process that was killed is nobody’s', async () => {
    const child = await holder(60_000)
    const ended = new Promise((done) => child.once('close', done))
    child.kill('SIGKILL')
    await ended
    expect(existsSync(path)).toBe(true)
    expect(await withLock(path, () => Promise.resolve('mine'), quietly)).toBe('mine')
  })

  it('of another computer is kept while it is fresh, and nobody’s after a minute', async () => {
    await withLock(path, () => Promise.resolve(), quietly)
    writeFileSync(path, 'id 1 elsewhere')
    const soon = AbortSignal.timeout(400)
    await expect(withLock(path, () => Promise.resolve(), { ...quietly, signal: soon })).rejects.toThrow()
    const past = new Date(Date.now() - 61_000)
    utimesSync(path, past, past)
    expect(await withLock(path, () => Promise.resolve('mine'), quietly)).toBe('mine')
  })

  it('is given back after an error', async () => {
    const failing = (): Promise<never> => Promise.reject(new Error('inside'))
    await expect(withLock(path, failing, quietly)).rejects.toThrow('inside')
    expect(existsSync(path)).toBe(false)
  })
})
