import { existsSync, statSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  AttuneError,
  type Engine,
  type HostArray,
  type HostTree,
  type Tree,
  isAttuneError,
  isHostArray,
  isTensor,
  leaves,
  parseJson,
  treeOf,
} from '@attune/core'
import { digest, readJsonObject, readWholeFile, writeFolderAtomically } from '@attune/files'
import { type TensorSource, decodeSafetensors, streamSafetensors } from '@attune/weights'
import { z } from 'zod'
import { type History, NO_HISTORY, historySchema } from './run-log.js'

const progressSchema = z.strictObject({
  step: z.int().min(0),
  epoch: z.int().min(0),
  /** Completed steps of this epoch. */
  batches: z.int().min(0),
  /** Items of the rollout between the steps on its batch. */
  rollout: z.array(z.record(z.string(), z.unknown())).optional(),
  learningRateScale: z.number(),
  /** Reason for the end of training, once it has ended; a resumed run then only saves the model. */
  ended: z.string().optional(),
  labels: z.array(z.string()),
  because: z.string(),
  /** Latest validation scores so far, with the step of their weights. */
  evaluated: z.strictObject({ step: z.int().min(0), scores: z.record(z.string(), z.number()) }).optional(),
})

/** Progress of a run: its state apart from tensors. */
export type Progress = z.output<typeof progressSchema>

const fileSchema = z.strictObject({ run: z.string(), history: historySchema, progress: progressSchema })

/** Complete state of a run, from which it resumes exactly. */
export interface Checkpoint {
  /** Id of the run that it belongs to. */
  readonly run: string
  readonly progress: Progress
  /** Trainable parameters and optimizer state. */
  readonly state: HostTree
  /** All events so far, as ranges of the run's log; callbacks restore their state by replaying them. */
  readonly history: History
}

/** Run id of checkpoints saved by custom loops. */
const CUSTOM = 'custom'

const [STATE, PROGRESS, DIGESTS] = ['state.safetensors', 'progress.json', 'digests.json']
/** Size limit of a checkpoint's JSON files, which may contain a rollout. */
const MAXIMUM_BYTES = 200_000_000

const folderOf = (directory: string): string => join(directory, 'checkpoints')
/** Folder of one checkpoint. */
export const checkpointPath = (directory: string, step: number): string => join(folderOf(directory), String(step))

/** A checkpoint to save; a custom loop passes its state and step. */
export interface CheckpointInput {
  /** Any tree of host arrays: `await engine.read(state)`. */
  readonly state: HostTree
  /** The step, and other fields of {@link Progress} that the loop uses. */
  readonly progress: Partial<Progress> & Pick<Progress, 'step'>
  /** The run's id. Default: `custom`. */
  readonly run?: string
  /** Ranges of the run's events so far in its log. Default: none. */
  readonly history?: History
}

const START: Omit<Progress, 'step'> = { epoch: 0, batches: 0, learningRateScale: 1, labels: [], because: 'requested' }

/**
 * Writes a checkpoint to `checkpoints/<step>` of a folder, atomically and with digests; earlier checkpoints are kept. Returns its
 * folder and size in bytes.
 * @throws AttuneError `CANNOT_WRITE`
 *
 * @example
 * ```ts
 * import { listCheckpoints, loadCheckpoint, saveCheckpoint } from '@attune/trainer/node'
 * const state = { bias: { shape: [2], dtype: 'float32' as const, values: Float32Array.of(1, 2) } }
 * await saveCheckpoint('my-run', { state, progress: { step: 5 } })
 * const [latest] = await listCheckpoints('my-run')
 * const { progress } = await loadCheckpoint('my-run', latest!)
 * console.log(progress.step) // 5
 * ```
 */
export const saveCheckpoint = (
  directory: string,
  { state, ...rest }: CheckpointInput,
): Promise<{ readonly path: string; readonly bytes: number }> => writeCheckpoint(directory, sourcesOf(state), rest)

const sourcesOf = (state: HostTree): Readonly<Record<string, TensorSource>> =>
  Object.fromEntries(
    leaves(state, isHostArray).map(([path, array]) => [path, { ...array, values: () => array.values }]),
  )

/** Tensors of a state by path, read from the device one at a time. */
export const tensorSources = (engine: Pick<Engine, 'read'>, state: Tree): Readonly<Record<string, TensorSource>> =>
  Object.fromEntries(
    leaves(state, isTensor).map(([path, tensor]): [string, TensorSource] => {
      const dtype = tensor.dtype as HostArray['dtype']
      return [path, { shape: tensor.shape, dtype, values: async () => (await engine.read(tensor)).values }]
    }),
  )

/** Writes a checkpoint whose tensors are read as they are written, see {@link saveCheckpoint}. */
export async function writeCheckpoint(
  directory: string,
  tensors: Readonly<Record<string, TensorSource>>,
  { progress, run = CUSTOM, history = NO_HISTORY }: Omit<CheckpointInput, 'state'>,
): Promise<{ readonly path: string; readonly bytes: number }> {
  const rest = { run, history, progress: { ...START, ...progress } }
  const path = checkpointPath(directory, rest.progress.step)
  await writeFolderAtomically(path, {
    [STATE]: () => streamSafetensors(tensors),
    [PROGRESS]: JSON.stringify(rest, null, 2),
    [DIGESTS]: (digests) => JSON.stringify(digests, null, 2),
  })
  return { path, bytes: [STATE, PROGRESS].reduce((sum, name) => sum + statSync(join(path, name)).size, 0) }
}

/** Steps of the existing checkpoints, latest first. */
export async function listCheckpoints(directory: string): Promise<number[]> {
  if (!existsSync(folderOf(directory))) return []
  const names = await readdir(folderOf(directory))
  return names
    .filter((name) => /^(0|[1-9]\d{0,14})$/.test(name))
    .map(Number)
    .sort((a, b) => b - a)
}

/** Reads a file of a checkpoint and verifies its digest. @throws Error with the reason */
function readVerified(path: string, name: string, maximumBytes: number): Buffer {
  const digests = readJsonObject(join(path, DIGESTS), MAXIMUM_BYTES, (why) => new Error(`${DIGESTS}: ${why}`))
  const bytes = readWholeFile(join(path, name), maximumBytes)
  if (bytes === undefined) throw new Error(`${name} is missing`)
  if (digest(bytes) !== digests?.[name]) throw new Error(`${name} does not match its recorded digest`)
  return bytes
}

const readProgress = (path: string): z.output<typeof fileSchema> =>
  fileSchema.parse(parseJson(readVerified(path, PROGRESS, MAXIMUM_BYTES).toString('utf8')))

/**
 * Reads a checkpoint and verifies its digests.
 * @param run the id of the run. Default: the id used by custom loops
 * @throws AttuneError `BAD_CHECKPOINT` if a file is missing or changed, or if it belongs to another run; the remedy names the previous
 *   checkpoint
 */
export async function loadCheckpoint(directory: string, step: number, run: string = CUSTOM): Promise<Checkpoint> {
  const path = checkpointPath(directory, step)
  const refuse = async (why: string, cause?: unknown): Promise<AttuneError> => {
    const previous = (await listCheckpoints(directory)).find((other) => other < step)
    return new AttuneError(
      'BAD_CHECKPOINT',
      `the checkpoint ${path} ${why}`,
      previous === undefined
        ? 'There is no earlier checkpoint. Start the run again in another folder.'
        : `To continue from step ${previous}, remove that folder, then resume: rm -r "${path}"`,
      cause === undefined ? undefined : { cause },
    )
  }
  try {
    const rest = readProgress(path)
    if (rest.run !== run) throw await refuse(`belongs to another run: expected ${run}, got ${rest.run}`)
    if (rest.progress.step !== step)
      throw await refuse(`has the wrong step: expected ${step}, got ${rest.progress.step}`)
    const { tensors } = decodeSafetensors(readVerified(path, STATE, Infinity), path)
    return { ...rest, state: treeOf<HostArray>(Object.entries(tensors)) as HostTree }
  } catch (cause) {
    if (isAttuneError(cause) && cause.code === 'BAD_CHECKPOINT') throw cause
    throw await refuse(`is damaged: ${(cause as Error).message.split('\n')[0]}`, cause)
  }
}

/** Labels of a checkpoint; empty if it cannot be read. */
function labelsOf(directory: string, step: number): readonly string[] {
  try {
    return readProgress(checkpointPath(directory, step)).progress.labels
  } catch {
    return []
  }
}

/** Step of the latest checkpoint with a label. */
export async function findCheckpoint(directory: string, label: string): Promise<number | undefined> {
  for (const step of await listCheckpoints(directory)) if (labelsOf(directory, step).includes(label)) return step
  return undefined
}

/** Removes old checkpoints, keeping the latest two and the latest of each label. */
export async function pruneCheckpoints(directory: string): Promise<void> {
  const seen = new Set<string>()
  for (const [index, step] of (await listCheckpoints(directory)).entries()) {
    const fresh = labelsOf(directory, step).filter((label) => !seen.has(label))
    for (const label of fresh) seen.add(label)
    if (index >= 2 && fresh.length === 0) await rm(checkpointPath(directory, step), { recursive: true, force: true })
  }
}
