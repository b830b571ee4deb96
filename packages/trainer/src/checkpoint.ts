import { existsSync } from 'node:fs'
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { AttuneError, type HostArray, type HostTree, type RunEvent, isHostArray, leaves, treeOf } from '@attune/core'
import { decodeSafetensors, encodeSafetensors } from '@attune/nn'
import { z } from 'zod'
import { digest, writeFolderAtomically } from './write-atomically.js'

/** Where a run stands, apart from its tensors. */
const progressSchema = z.strictObject({
  step: z.int().min(0),
  epoch: z.int().min(0),
  /** Batches of this epoch that are done. */
  batches: z.int().min(0),
  learningRateScale: z.number(),
  /** Why training ended, once it has; a resumed run then only saves the model. */
  ended: z.string().optional(),
  labels: z.array(z.string()),
  because: z.string(),
})

/** Where a run stands, apart from its tensors. */
export type Progress = z.output<typeof progressSchema>

/** All that is needed to go on as if nothing had happened. */
export interface Checkpoint {
  readonly progress: Progress
  /** The trainable parameters and the optimizer's state. */
  readonly state: HostTree
  /** Every event so far: callbacks are brought back to their state by hearing them again. */
  readonly history: readonly RunEvent[]
}

const folderOf = (directory: string): string => join(directory, 'checkpoints')
/** The folder of one checkpoint. */
export const checkpointPath = (directory: string, step: number): string => join(folderOf(directory), String(step))

/** JSON has no NaN and no infinities; a history may. */
const toJson = (value: unknown): string =>
  JSON.stringify(value, (_, v: unknown) => (typeof v === 'number' && !Number.isFinite(v) ? { number: String(v) } : v))
const fromJson = (text: string): unknown =>
  JSON.parse(text, (_, v: unknown) => {
    const number = (v as { number?: unknown } | null)?.number
    return typeof number === 'string' && Object.keys(v as object).length === 1 ? Number(number) : v
  })

/** Writes a checkpoint beside the earlier ones. Returns the folder and its size in bytes. */
export async function saveCheckpoint(directory: string, { progress, state, history }: Checkpoint) {
  const content: Readonly<Record<string, Uint8Array | string>> = {
    'state.safetensors': encodeSafetensors(Object.fromEntries(leaves(state, isHostArray))),
    'progress.json': JSON.stringify(progress, null, 2),
    'events.jsonl': history.map((event) => `${toJson(event)}\n`).join(''),
  }
  const digests = Object.fromEntries(Object.entries(content).map(([name, bytes]) => [name, digest(bytes)]))
  const path = checkpointPath(directory, progress.step)
  await writeFolderAtomically(path, { ...content, 'digests.json': JSON.stringify(digests, null, 2) })
  return { path, bytes: Object.values(content).reduce((sum, part) => sum + Buffer.byteLength(part), 0) }
}

/** The steps of the checkpoints there are, latest first. */
export async function listCheckpoints(directory: string): Promise<number[]> {
  if (!existsSync(folderOf(directory))) return []
  const names = await readdir(folderOf(directory))
  return names
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)
}

/** What a good checkpoint's files are like, or the reason why this one is not good. */
async function readVerified(path: string): Promise<Record<string, Buffer>> {
  const digests = z.record(z.string(), z.string()).parse(JSON.parse(await readFile(join(path, 'digests.json'), 'utf8')))
  const files: Record<string, Buffer> = {}
  for (const name of ['state.safetensors', 'progress.json', 'events.jsonl']) {
    files[name] = await readFile(join(path, name))
    if (digest(files[name]) !== digests[name]) throw new Error(`${name} does not have the digest that was written down`)
  }
  return files
}

/**
 * Reads a checkpoint.
 * @throws AttuneError `BAD_CHECKPOINT` if a byte is missing or changed, with the previous one offered.
 */
export async function loadCheckpoint(directory: string, step: number): Promise<Checkpoint> {
  const path = checkpointPath(directory, step)
  try {
    const files = await readVerified(path)
    const lines = files['events.jsonl']!.toString('utf8')
      .split('\n')
      .filter((line) => line !== '')
    return {
      progress: progressSchema.parse(JSON.parse(files['progress.json']!.toString('utf8'))),
      state: treeOf<HostArray>(
        Object.entries(decodeSafetensors(files['state.safetensors']!, path).tensors),
      ) as HostTree,
      history: lines.map((line) => fromJson(line) as RunEvent),
    }
  } catch (cause) {
    const previous = (await listCheckpoints(directory)).find((other) => other < step)
    throw new AttuneError(
      'BAD_CHECKPOINT',
      `the checkpoint ${path} is damaged: ${(cause as Error).message.split('\n')[0]}`,
      previous === undefined
        ? 'There is no earlier one: start the run again in another folder.'
        : `Remove that folder to go on from step ${previous}: rm -r "${path}", then resume.`,
      { cause },
    )
  }
}

/** The labels of a checkpoint; none if it cannot be read. */
async function labelsOf(directory: string, step: number): Promise<readonly string[]> {
  try {
    const text = await readFile(join(checkpointPath(directory, step), 'progress.json'), 'utf8')
    return progressSchema.parse(JSON.parse(text)).labels
  } catch {
    return []
  }
}

/** The step of the latest checkpoint that has a label. */
export async function findLabelled(directory: string, label: string): Promise<number | undefined> {
  for (const step of await listCheckpoints(directory))
    if ((await labelsOf(directory, step)).includes(label)) return step
  return undefined
}

/** Removes checkpoints, but not the latest two nor the latest of each label. */
export async function pruneCheckpoints(directory: string): Promise<void> {
  const seen = new Set<string>()
  for (const [place, step] of (await listCheckpoints(directory)).entries()) {
    const fresh = (await labelsOf(directory, step)).filter((label) => !seen.has(label))
    for (const label of fresh) seen.add(label)
    if (place >= 2 && fresh.length === 0) await rm(checkpointPath(directory, step), { recursive: true, force: true })
  }
}
