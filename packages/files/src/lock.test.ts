import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { type Lock, type LockOwner, takeLock, withLock } from './lock.js'

let folder: string
let path: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'attune-lock-'))
  path = join(folder, 'locks', 'x.lock')
})
afterEach(() => rmSync(folder, { recursive: true }))

const never = new AbortController().signal
const quietly = { signal: never, onWait: () => undefined }
/** Starts a process that holds the lock until it is killed or its input ends; resolves once it holds the lock. */
const holder = (): Promise<ChildProcess> => {
  const child = spawn(process.execPath, [fileURLToPath(new URL('./lock.test.fixture.js', import.meta.url)), path])
  return new Promise((held) => child.stdout.once('data', () => held(child)))
}

describe('withLock and takeLock', () => {
  it('exclude other holders, within and between processes, and remove the lock', async () => {
    let [inside, maximum] = [0, 0]
    const act = async (): Promise<void> => {
      maximum = Math.max(maximum, ++inside)
      await setImmediate()
      inside--
    }
    await Promise.all(Array.from({ length: 5 }, () => withLock(path, act, quietly)))
    expect(maximum).toBe(1)
    const child = await holder()
    const ended = once(child, 'close')
    let waited = false
    const onWait = (): void => {
      waited = true
      child.stdin!.end()
    }
    await withLock(path, () => Promise.resolve(), { signal: never, onWait })
    expect(waited).toBe(true)
    await ended
    expect(existsSync(path)).toBe(false)
  })

  it('take over the lock of a killed process', async () => {
    const child = await holder()
    const ended = once(child, 'close')
    child.kill('SIGKILL')
    await ended
    expect(existsSync(path)).toBe(true)
    expect(await withLock(path, () => Promise.resolve('mine'), quietly)).toBe('mine')
  })

  it('wait for an empty lock file, and take it over if it stays empty', async () => {
    const other = (await takeLock(join(folder, 'other.lock'))) as Lock
    mkdirSync(dirname(path))
    writeFileSync(path, '')
    const taken = takeLock(path)
    await setImmediate()
    writeFileSync(path, readFileSync(join(folder, 'other.lock')))
    expect(await taken).toMatchObject({ process: process.pid })
    writeFileSync(path, '')
    expect(await takeLock(path)).toHaveProperty('release')
    await other.release()
  })

  it('stop waiting for an empty lock file when aborted', async () => {
    mkdirSync(dirname(path))
    writeFileSync(path, '')
    const given = new AbortController()
    const waiting = withLock(path, () => Promise.resolve(), { signal: given.signal, onWait: () => undefined })
    await setImmediate()
    given.abort()
    await expect(waiting).rejects.toThrow('aborted')
    expect(readFileSync(path, 'utf8')).toBe('')
  })

  it('respect a fresh lock of another machine, and take it over after a minute', async () => {
    await withLock(path, () => Promise.resolve(), quietly)
    writeFileSync(path, 'id 1 elsewhere')
    const given = new AbortController()
    const waiting = withLock(path, () => Promise.resolve(), { signal: given.signal, onWait: () => given.abort() })
    await expect(waiting).rejects.toThrow()
    const past = new Date(Date.now() - 61_000)
    utimesSync(path, past, past)
    expect(await withLock(path, () => Promise.resolve('mine'), quietly)).toBe('mine')
  })

  it('release the lock after an error', async () => {
    const failing = (): Promise<never> => Promise.reject(new Error('inside'))
    await expect(withLock(path, failing, quietly)).rejects.toThrow('inside')
    expect(existsSync(path)).toBe(false)
  })

  it('return the owner of a lock that is held', async () => {
    const child = await holder()
    const owner = (await takeLock(path)) as LockOwner
    expect(owner).toEqual({ process: child.pid, host: hostname(), silentSeconds: expect.any(Number) })
    child.kill('SIGKILL')
    await once(child, 'close')
    const lock = (await takeLock(path)) as Lock
    expect(await takeLock(path)).toMatchObject({ process: process.pid })
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    expect(existsSync(path)).toBe(false)
  })

  it('respect a silent lock of a running process, but not one of a process with the same id and another start time', async () => {
    const child = await holder()
    const past = new Date(Date.now() - 3_600_000)
    utimesSync(path, past, past)
    expect(await takeLock(path)).toMatchObject({ process: child.pid })
    const [id, pid, , on] = readFileSync(path, 'utf8').split(' ')
    writeFileSync(path, [id, pid, ':1', on].join(' '))
    const lock = (await takeLock(path)) as Lock
    expect(await lock.isHeld()).toBe(true)
    await lock.release()
    child.kill('SIGKILL')
    await once(child, 'close')
  })

  it('report that a lock is no longer held after another process took it over', async () => {
    const lock = (await takeLock(path)) as Lock
    writeFileSync(path, 'somebody else')
    expect(await lock.isHeld()).toBe(false)
    await lock.release()
    expect(readFileSync(path, 'utf8')).toBe('somebody else')
  })
})
