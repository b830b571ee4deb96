// @ts-check
/** Run folders: the record, the checkpoints, and a complete folder that is resumed. */
import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { resume, run } from '@attune/trainer/node'
import { Subject, lastValueFrom, of, tap } from 'rxjs'
import { findCheckpoint, listCheckpoints, loadCheckpoint } from '../../../packages/trainer/dist/files/checkpoint.js'
import { ALL_KEYS, planOf } from '../../../packages/trainer/dist/plan/plan.js'
import { openRun } from '../../../packages/trainer/dist/files/run-folder.js'
import { toyConfig, toyPlugins } from '../../../packages/trainer/dist/run/toy.test.fixture.js'
import { parsedContainer } from '../mutate-json.mjs'
import { changedInput } from '../mutate.mjs'
import { pluginsOf } from '../plugins.mjs'
import { LOCK_FILES } from '../seeds.mjs'

/**
 * @import { Command } from '@attune/core'
 * @import { SearchPaths } from '@attune/resolve'
 */
/** @import { Input } from '../input.mjs' */
/** @import { Target } from '../target.mjs' */

const [DIGESTS, RECORD] = ['digests.json', 'run.json']
const stop = /** @type {Command} */ ({ type: 'stop', because: 'it has been read' })

/** All files below a folder. @param {string} folder @returns {Input} */
const filesOf = (folder) =>
  Object.fromEntries(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        const bytes = readFileSync(path)
        return [path.slice(folder.length + 1), /\.(json|jsonl|txt|md)$/.test(path) ? bytes.toString() : bytes]
      }),
  )

/** Step at which the run is stopped: one checkpoint precedes that of the stop. */
const LAST_STEP = 6

/** The files of a run of toys that was stopped. @param {SearchPaths} search */
async function stoppedRun(search) {
  const folder = mkdtempSync(join(tmpdir(), 'attune-run-'))
  try {
    const directory = join(folder, 'run')
    const commands = /** @type {Subject<Command>} */ (new Subject())
    const events = run(/** @type {any} */ (toyConfig(directory)), { searchPaths: search, commands })
    await lastValueFrom(
      events.pipe(tap((event) => event.type === 'step.completed' && event.step === LAST_STEP && commands.next(stop))),
    )
    return filesOf(directory)
  } finally {
    rmSync(folder, { recursive: true })
  }
}

const digest = (/** @type {string | Buffer} */ content) => createHash('sha256').update(content).digest('hex')

/** Updates the seal of a run's record to its content and its learned.json, unless they were mutated. @param {Input} input @param {Input} original */
function sealed(input, original) {
  const record = parsedContainer(String(input[RECORD] ?? ''))
  const { seal: first, learned: firstLearned } = JSON.parse(String(original[RECORD]))
  if (record === undefined || record.seal !== first) return undefined
  const { seal: _, ...content } = record
  if (content.learned === firstLearned) content.learned = digest(input['learned.json'] ?? '')
  return JSON.stringify({ ...content, seal: digest(JSON.stringify(content)) })
}

/** Digests of the checkpoint files of an input, by path. @param {Input} input @returns {[string, string][]} */
const digestsOf = (input) =>
  Object.keys(input)
    .filter((name) => name.endsWith(DIGESTS))
    .map((name) => {
      const folder = name.slice(0, -DIGESTS.length)
      const files = Object.entries(input).filter(([each]) => each.startsWith(folder) && each !== name)
      const digests = files.map(([each, content]) => [each.slice(folder.length), digest(content)])
      return [name, JSON.stringify(Object.fromEntries(digests))]
    })

/** Updates digests and seals to the mutated content, unless they were mutated themselves, so that the content behind them is read. @param {Input} input @param {Input} original @param {string} folder */
function fit(input, original, folder) {
  for (const [name, content] of digestsOf(input))
    if (input[name] === original[name]) writeFileSync(join(folder, name), content)
  const record = original[RECORD] === undefined ? undefined : sealed(input, original)
  if (record !== undefined) writeFileSync(join(folder, RECORD), record)
}

/** Files with the version of core, which is compared with that in the record. */
const CORE_MANIFEST = /\/packages\/core\/(dist\/)?package\.json$/

/** @returns {Promise<Target[]>} */
export async function targets() {
  const search = { registered: [...toyPlugins, ...(await pluginsOf(['protocol']))], folders: [], local: [] }
  const whole = await stoppedRun(search)
  const { id } = JSON.parse(String(whole[RECORD]))
  const those = (/** @type {(name: string) => boolean} */ wanted) =>
    Object.fromEntries(Object.entries(whole).filter(([name]) => wanted(name)))
  const outer = those((name) => !name.includes('/'))
  const checkpoints = those((name) => name.startsWith('checkpoints/'))
  // A run of the configuration may take any time: only reading config.json is tested, separately from a run.
  const resumed = those((name) => name !== 'config.json')
  return [
    {
      name: 'run folder',
      files: true,
      mayLookUp: true,
      mayRead: [CORE_MANIFEST],
      valid: [outer],
      prepare: (input, folder) => fit(input, outer, folder),
      async read(_, folder) {
        const { config, lookup } = openRun(folder, { baseDirectory: folder, searchPaths: search })
        await planOf(config, ALL_KEYS, lookup)
      },
    },
    {
      name: 'checkpoint of a run',
      files: true,
      valid: [checkpoints],
      prepare: (input, folder) => fit(input, checkpoints, folder),
      async read(_, folder) {
        const [step = 0] = await listCheckpoints(folder)
        await findCheckpoint(folder, 'best')
        await loadCheckpoint(folder, step, id)
      },
    },
    {
      name: 'run folder, resumed and stopped',
      files: true,
      mayLookUp: true,
      mayRead: [...LOCK_FILES, CORE_MANIFEST],
      valid: [whole],
      make: (random) => ({ ...whole, ...changedInput(resumed, random) }),
      prepare(input, folder) {
        fit(input, whole, folder)
        writeFileSync(join(folder, 'config.json'), String(whole['config.json']))
      },
      async read(_, folder) {
        const options = { baseDirectory: folder, searchPaths: search, commands: of(stop), acceptChanges: true }
        await lastValueFrom(resume(folder, options))
      },
    },
  ]
}
