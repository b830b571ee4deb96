import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it } from '@jest/globals'
import { key, stream } from '@attune/core'
import { listCheckpoints, loadCheckpoint } from '../files/checkpoint.js'
import { readRecord } from '../files/run-record.js'

const program = fileURLToPath(new URL('./child.test.fixture.js', import.meta.url))
const temporary = mkdtempSync(join(tmpdir(), 'attune-crash-'))
afterAll(() => rmSync(temporary, { recursive: true }))
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const weights = (directory: string): string => readFileSync(join(directory, 'model/model.safetensors')).toString('hex')

/** Runs the program to its end, or kills it `delay` milliseconds after its start or after it has printed `lines` lines. */
function child(
  args: readonly string[],
  kill?: { lines: number; delay: number },
): Promise<{ killed: boolean; output: string }> {
  return new Promise((resolve) => {
    const process_: ChildProcess = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    let output = ''
    if (kill?.lines === 0) setTimeout(() => process_.kill('SIGKILL'), kill.delay)
    process_.stdout!.on('data', (chunk: Buffer) => {
      output += chunk.toString()
      if (kill !== undefined && kill.lines > 0 && output.split('\n').length > kill.lines)
        setTimeout(() => process_.kill('SIGKILL'), kill.delay)
    })
    process_.on('exit', (_, signal) => resolve({ killed: signal === 'SIGKILL', output }))
  })
}

describe('a run killed with SIGKILL', () => {
  it('matches the weights of an uninterrupted run after repeated kills', async () => {
    const [whole, directory] = [folder(), folder()]
    await child([whole])
    const random = stream(key(8))
    let kills = 0
    for (let attempt = 0; attempt < 60; attempt++) {
      const kill = { lines: 1 + Math.floor(random() * 14), delay: random() * 12 }
      const { killed } = await child([directory], kill)
      if (!killed) break
      kills++
    }
    expect(kills).toBeGreaterThanOrEqual(4)
    expect(weights(directory)).toBe(weights(whole))
    expect(readdirSync(join(directory, 'checkpoints')).filter((name) => name.endsWith('.partial'))).toEqual([])
  })
})

describe('a run killed with SIGKILL during startup', () => {
  it('restarts or resumes in the same folder and ends with the same weights', async () => {
    const [whole, directory] = [folder(), folder()]
    const begun = performance.now()
    await child([whole, '1'])
    const seconds = performance.now() - begun
    // From before the first write to the first steps, in increments of 1/40 of a complete run.
    for (let part = 0; part < 12; part++) {
      const { output } = await child([directory, '1'], { lines: 0, delay: (0.5 + part / 40) * seconds })
      expect(output).not.toMatch(/RUN_EXISTS|NOT_A_RUN/)
    }
    await child([directory, '1'])
    expect(weights(directory)).toBe(weights(whole))
  })
})

/** Mounts a small in-memory file system; returns its path, or the reason why it cannot be mounted. */
function smallDisk(options = 'size=1m'): { path: string } | { reason: string } {
  const path = mkdtempSync(join(temporary, 'disk-'))
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', path], { encoding: 'utf8' })
  return mounted.status === 0 ? { path } : { reason: String(mounted.stderr || mounted.error?.message).trim() }
}

describe('a disk that fills up while a checkpoint is saved', () => {
  const disk = smallDisk()
  afterAll(() => void ('path' in disk && spawnSync('umount', [disk.path])))
  if ('reason' in disk)
    it(`is simulated by a file size limit, since no disk can be mounted here (${disk.reason})`, async () => {
      // A checkpoint takes 46 KiB: the first is written without a limit, later ones exceed it.
      const directory = folder()
      await child([directory, '3', '60'], { lines: 6, delay: 0 })
      const [before] = await listCheckpoints(directory)
      const script = `ulimit -f 40; exec "${process.execPath}" "${program}" "${directory}" 3 60`
      const { stdout, status } = spawnSync('bash', ['-c', script], { encoding: 'utf8' })
      expect([status, stdout.includes('CANNOT_WRITE')]).toEqual([2, true])
      expect((await loadCheckpoint(directory, before as number, readRecord(directory).record.id)).progress.step).toBe(
        before,
      )
    })
  else
    it('fails the run with the reason and leaves the earlier checkpoint intact', async () => {
      const directory = join(disk.path, 'run')
      mkdirSync(directory)
      rmSync(directory, { recursive: true })
      // A width of 170 makes checkpoints of about 350 kB: two fit, a third does not.
      const { output } = await child([directory, '3', '170'])
      expect(output).toContain('CANNOT_WRITE')
      expect(output).toContain('the disk is full')
      const [latest] = await listCheckpoints(directory)
      expect((await loadCheckpoint(directory, latest as number, readRecord(directory).record.id)).progress.step).toBe(
        latest,
      )
      expect(readdirSync(join(directory, 'checkpoints')).every((name) => /^\d+$/.test(name))).toBe(true)
      expect(existsSync(join(directory, 'model'))).toBe(false)
    })
})

describe('a disk without free inodes, and one that becomes read-only', () => {
  const disks = [smallDisk('size=20m,nr_inodes=16'), smallDisk('size=20m')] as const
  afterAll(() => disks.forEach((disk) => 'path' in disk && spawnSync('umount', [disk.path])))
  const [few, locked] = disks
  if ('reason' in few || 'reason' in locked)
    it(`are skipped, since no disk can be mounted here (${'reason' in few ? few.reason : ''})`, () => undefined)
  else {
    it('fail the run with an error that names the cause', async () => {
      const { output } = await child([join(few.path, 'run'), '6'])
      expect(output).toMatch(/CANNOT_WRITE: .* could not be written: the disk has no free inodes/)
    })

    it('fail the start with an error that names the cause', async () => {
      expect(spawnSync('mount', ['-o', 'remount,ro', locked.path]).status).toBe(0)
      const { output } = await child([join(locked.path, 'run'), '1'])
      expect(output).toMatch(/CANNOT_WRITE: .* could not be written: the file system is mounted read-only/)
    })
  }
})
