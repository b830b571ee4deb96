import { existsSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { AttuneError, type Chosen, installedPlugins } from '@attune/core'
import { z } from 'zod'
import { type Plan, type RunOptions, placesOf, planRun, readJsonFile } from './plan.js'
import { writeFileAtomically } from './write-atomically.js'

/** What a run found out from its data before it began: options that plugins learned, and the number of examples. */
const learnedSchema = z.strictObject({
  /** Examples of the training split. */
  examples: z.int().min(1),
  /** Options by kind, as the plugins' `fit` completed them. */
  options: z.record(z.string(), z.record(z.string(), z.unknown())),
})

/** What a run found out from its data before it began. */
export type Learned = z.output<typeof learnedSchema>

/** What a run may leave that ended before it began: all made from the data, but for the log, which is added to. */
const FIRST_FILES = new Set(['rejects', 'learned.json', 'learned.json.partial', 'config.json.partial', 'events.jsonl'])

/**
 * Makes room for a new run: what is left of one that never began, because its data were refused or it was killed at that
 * moment, is removed. A run has begun once its `config.json` is there.
 * @throws AttuneError `RUN_EXISTS` if the folder holds a run or anything else; `BAD_ARGUMENT` if it is no folder.
 */
export function takeFolder(directory: string): void {
  if (!existsSync(directory)) return
  if (!statSync(directory).isDirectory())
    throw new AttuneError(
      'BAD_ARGUMENT',
      `${directory} is a file, and a run is kept in a folder`,
      'Name a folder that is empty or not there yet.',
    )
  const names = readdirSync(directory)
  if (names.every((name) => FIRST_FILES.has(name))) {
    for (const name of names.filter((each) => each !== 'events.jsonl'))
      rmSync(join(directory, name), { recursive: true })
    return
  }
  throw new AttuneError(
    'RUN_EXISTS',
    `${directory} is not empty, and nothing in it will be overwritten`,
    `Go on with that run: attune train --resume ${directory} (or name another directory).`,
  )
}

const isChosen = (node: unknown): node is Chosen => typeof node === 'object' && node !== null && 'plugin' in node

/** The configuration as it can be written to a file and read again: every plugin by name, every option spelled out. */
function written(node: unknown): unknown {
  if (isChosen(node)) return { use: node.plugin.name, ...node.options }
  if (Array.isArray(node)) return node.map(written)
  if (typeof node !== 'object' || node === null) return node
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, written(child)]))
}

function chosenIn(node: unknown): Chosen[] {
  if (isChosen(node)) return [node]
  return typeof node === 'object' && node !== null ? Object.values(node).flatMap(chosenIn) : []
}

/** Writes `config.json` and `learned.json`, from which a run is resumed and its model is loaded. */
export async function writeRunFolder(plan: Plan, learned: Learned, options: RunOptions): Promise<void> {
  const directory = plan.directory as string
  const installed = installedPlugins(placesOf(options).folders)
  const plugins = [...chosenIn(plan.config), ...chosenIn(plan.encoder)].map(({ plugin }) => {
    const found = installed.find((entry) => entry.kind === plugin.kind.name && entry.name === plugin.name)
    return { kind: plugin.kind.name, name: plugin.name, package: found?.package, version: found?.version }
  })
  const { vocabSize, ...model } = written(plan.config.model) as Record<string, unknown>
  const config = {
    ...(written(plan.config) as object),
    model: {
      ...model,
      ...(plan.vocabularyGiven ? { vocabSize } : {}),
      ...(plan.from === undefined ? {} : { ...plan.from, path: undefined, from: plan.from.path }),
      ...(plan.encoder === undefined
        ? {}
        : { encoder: { ...(written(plan.encoder.model) as object), from: plan.encoder.path } }),
      ...(plan.vectors === undefined ? {} : { embeddings: plan.vectors }),
    },
    directory,
    plugins,
  }
  await writeFileAtomically(join(directory, 'learned.json'), JSON.stringify(learned))
  await writeFileAtomically(join(directory, 'config.json'), `${JSON.stringify(config, null, 2)}\n`)
}

/** Reads a run folder back. @throws AttuneError `NOT_A_RUN` if the folder holds no run. */
export async function readRunFolder(directory: string, options: RunOptions): Promise<{ plan: Plan; learned: Learned }> {
  if (!existsSync(join(directory, 'config.json')) || !existsSync(join(directory, 'learned.json')))
    throw new AttuneError(
      'NOT_A_RUN',
      `${directory} is not the folder of a run: it has no config.json and learned.json`,
      'Name the `directory` of a run that was started with `attune train`. If a run ended there before it began, start it again with its configuration.',
    )
  const { plugins: _versions, ...config } = readJsonFile(join(directory, 'config.json'))
  const plan = await planRun({ ...config, directory }, options, true)
  const learned = learnedSchema.safeParse(readJsonFile(join(directory, 'learned.json')))
  if (learned.success) return { plan, learned: learned.data }
  throw new AttuneError('NOT_A_RUN', `${directory}/learned.json is damaged`, 'Start the run again in another folder.')
}
