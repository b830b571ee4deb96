import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from '@jest/globals'
import {
  ADAPTER,
  type Adapter,
  type AnyPlugin,
  type Command,
  OBJECTIVE,
  type Objective,
  type RunEvent,
  definePlugin,
  isAttuneError,
} from '@attune/core'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'
import { Subject, lastValueFrom, tap, toArray } from 'rxjs'

import { evaluateRun } from '../inference/evaluate.js'
import { promptTuning } from '../step/adapters.test.fixture.js'
import { type RunConfig } from '../plan/run-config.js'
import { installed } from './installed.test.fixture.js'
import { resume, run } from './run.js'
import { toyAdapter, toyConfig, toyModel, toyObjective, toyPlugins } from './toy.test.fixture.js'

const temporary = mkdtempSync(join(tmpdir(), 'attune-adapters-'))
afterAll(() => rmSync(temporary, { recursive: true }))
process.env['XDG_STATE_HOME'] = join(temporary, 'state')
let folders = 0
const folder = (): string => join(temporary, String(folders++))
const lora = await installed(ADAPTER, 'lora')
const LORA = { use: lora, rank: 2, targets: ['dense'] }
const adapting = (directory: string | undefined, adapter: unknown, more = {}): RunConfig =>
  ({ ...toyConfig(directory), adapter, ...more }) as RunConfig

async function refusal(config: RunConfig): Promise<{ code: string; problem: string }> {
  try {
    await lastValueFrom(run(config))
  } catch (error) {
    if (isAttuneError(error)) return error
    throw error
  }
  throw new Error('expected the run to fail')
}

const stored = (path: string) => decodeSafetensors(readFileSync(path), path).tensors
const adapterIn = (directory: string) => ({
  config: JSON.parse(readFileSync(join(directory, 'adapter/adapter_config.json'), 'utf8')) as Record<string, unknown>,
  tensors: stored(join(directory, 'adapter/adapter_model.safetensors')),
})

describe('a saved adapter', () => {
  const first = folder()
  const trained = lastValueFrom(run(adapting(first, LORA, { saveAdapter: true })))

  it('is stored in the PEFT layout, including the head, next to the merged model', async () => {
    await trained
    const { config, tensors } = adapterIn(first)
    expect(config).toMatchObject({ peft_type: 'LORA', r: 2, lora_alpha: 16, base_model_name_or_path: null })
    expect(config).toMatchObject({ target_modules: ['toy.dense'], modules_to_save: ['head'] })
    expect(Object.keys(tensors).sort()).toEqual(
      ['head.bias', 'head.weight', 'toy.dense.lora_A.weight', 'toy.dense.lora_B.weight'].map(
        (name) => `base_model.model.${name}`,
      ),
    )
    const model = stored(join(first, 'model/model.safetensors'))
    expect(tensors['base_model.model.head.weight']).toEqual(model['head.weight'])
    expect(existsSync(join(first, 'adapter.partial'))).toBe(false)
  })

  it('initializes a run with the first loss of the merged model', async () => {
    await trained
    const losses = async (config: RunConfig): Promise<number> => {
      const seen = await lastValueFrom(run(config).pipe(toArray()))
      return seen.find((event) => event.type === 'step.completed')!.loss
    }
    const still = {
      model: { use: toyModel, dropout: 0 },
      training: { ...toyConfig().training, epochs: 1 },
    }
    const base = folder()
    await lastValueFrom(run(adapting(base, LORA, { ...still, saveAdapter: true })))
    const config = { ...still, model: { use: toyModel, dropout: 0, from: join(base, 'model') } }
    const merged = await losses(adapting(undefined, toyAdapter, config))
    const resumed = await losses(adapting(undefined, { use: lora, from: join(base, 'adapter') }, still))
    const fresh = await losses(adapting(undefined, LORA, still))
    expect(resumed).toBeCloseTo(merged, 5)
    expect(Math.abs(fresh - merged)).toBeGreaterThan(1e-3)
  })

  it('is recorded as an input of a run, which resumes bit for bit', async () => {
    await trained
    const [whole, parts] = [folder(), folder()]
    const config = (directory: string) => adapting(directory, { use: lora, from: join(first, 'adapter') })
    await lastValueFrom(run(config(whole)))
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 7) commands.next({ type: 'stop', because: 'test' })
    }
    await lastValueFrom(run(config(parts), { commands }).pipe(tap(stop)))
    const record = readFileSync(join(parts, 'run.json'), 'utf8')
    expect(record).toContain('adapter.from')
    const searchPaths = { folders: ['.'], registered: [...toyPlugins, lora] }
    await lastValueFrom(resume(parts, { searchPaths }))
    expect(readFileSync(join(parts, 'model/model.safetensors'))).toEqual(
      readFileSync(join(whole, 'model/model.safetensors')),
    )
  })

  it('frees the weights that it replaces, with a copy of the adapter for `reference: start`', async () => {
    await trained
    const from = join(first, 'adapter')
    const seen = await lastValueFrom(
      run(adapting(undefined, { use: lora, from }, { reference: 'start' })).pipe(toArray()),
    )
    expect(seen.at(-1)!.type).toBe('run.completed')
  })

  it('is rejected for adapters that cannot be saved separately', async () => {
    const { code, problem } = await refusal(adapting(folder(), toyAdapter, { saveAdapter: true }))
    expect([code, problem]).toEqual(['NO_ADAPTER_FILES', expect.stringContaining('toy-adapter')])
  })

  it('is rejected with code and reason if it does not fit the model', async () => {
    await trained
    const { config, tensors } = adapterIn(first)
    const made = (settings: unknown, weights: unknown = tensors): string => {
      const at = folder()
      mkdirSync(at)
      if (settings !== undefined)
        writeFileSync(
          join(at, 'adapter_config.json'),
          typeof settings === 'string' ? settings : JSON.stringify(settings),
        )
      if (weights !== undefined)
        writeFileSync(
          join(at, 'adapter_model.safetensors'),
          weights instanceof Uint8Array ? weights : encodeSafetensors(weights as typeof tensors),
        )
      return at
    }
    const [name, down] = Object.entries(tensors).find(([each]) => each.includes('lora_A'))!
    const large = { shape: [2000, 100], dtype: 'float32' as const, values: new Float32Array(200_000) }
    const none = made(config, undefined)
    rmSync(join(none, 'adapter_model.safetensors'), { force: true })
    const pickle = made(config)
    cpSync(join(pickle, 'adapter_model.safetensors'), join(pickle, 'adapter_model.bin'))
    rmSync(join(pickle, 'adapter_model.safetensors'))
    const cases: readonly (readonly [string, string, RegExp, object?])[] = [
      [join(temporary, 'nowhere'), 'FILE_NOT_FOUND', /adapter_config/],
      [made('[1'), 'BAD_ADAPTER', /JSON/],
      [made('['.repeat(100_000)), 'BAD_ADAPTER', /nested/],
      [made({ ...config, padding: 'x'.repeat(11_000_000) }), 'BAD_ADAPTER', /bytes/],
      [made({ ...config, peft_type: 'IA3' }), 'BAD_ADAPTER', /IA3/],
      [made({ ...config, r: 1e9 }), 'BAD_ADAPTER', /\br\b/],
      [made({ ...config, r: 3 }), 'BAD_ADAPTER', /lora_A/],
      [made({ ...config, use_dora: true }), 'BAD_ADAPTER', /use_dora/],
      [made({ ...config, rank_pattern: { '.*': 3 } }), 'BAD_ADAPTER', /rank_pattern/],
      [made({ ...config, bias: 'all' }), 'BAD_ADAPTER', /bias/],
      [made(config, { ...tensors, 'base_model.model.toy.other.lora_A.weight': down }), 'BAD_ADAPTER', /other/],
      [
        made(config, { ...tensors, ['\u001b[2J'.repeat(9000)]: down }),
        'BAD_ADAPTER',
        /neither the model nor the adapter reads/,
      ],
      [
        made(config, { ...tensors, [name]: { ...down, shape: [down.values.length, 1] } }),
        'BAD_ADAPTER',
        /expected .* got/,
      ],
      [
        made(config, { ...tensors, [name]: { ...down, dtype: 'int32', values: Int32Array.from(down.values) } }),
        'BAD_ADAPTER',
        /int32/,
      ],
      [made(config, { ...tensors, large }), 'BAD_ADAPTER', /values in/],
      [made(config, new Uint8Array(100)), 'BAD_SAFETENSORS', /./],
      [none, 'FILE_NOT_FOUND', /./],
      [pickle, 'PICKLED_WEIGHTS', /./],
      [made(config), 'BAD_OPTIONS', /rank/, { rank: 3 }],
      [made(config), 'BAD_OPTIONS', /alpha/, { alpha: 3 }],
    ]
    for (const [from, code, problem, options] of cases) {
      const error = await refusal(adapting(undefined, { use: lora, from, ...options }))
      expect([error.code, error.problem.slice(0, 400)]).toEqual([code, expect.stringMatching(problem)])
      // eslint-disable-next-line no-control-regex -- control characters in a file must not reach a terminal
      expect([code, /\u001b/.test(error.problem)]).toEqual([code, false])
      expect(error.problem.length).toBeLessThan(1500)
    }
  }, 60_000)
})

/** The adapter, which gets a pass over the data or the choice of a checkpoint, and notes which. */
function noting(plugin: AnyPlugin, given: string[]): AnyPlugin {
  const create = (...parts: Parameters<AnyPlugin>): Adapter => {
    const own = plugin(...parts) as Adapter
    return {
      ...own,
      adapt(model, params, { pass, choice } = {}) {
        given.push(choice === undefined ? 'pass' : 'choice')
        return own.adapt(model, params, choice === undefined ? { ...(pass && { pass }) } : { choice })
      },
    }
  }
  return Object.defineProperties(create, Object.getOwnPropertyDescriptors(plugin)) as AnyPlugin
}

describe('an adapter that chooses weights by a pass over the training data', () => {
  const names = ['magnitude-pruning', 'movement-pruning', 'token-rows']

  it.each(names)('is resumed bit for bit with the weights that its checkpoint holds: %s', async (name) => {
    const given: string[] = []
    const plugin = noting(await installed(ADAPTER, name), given)
    const options = name === 'token-rows' ? { count: 2, by: 'gradient' } : { fraction: 0.5 }
    const [whole, parts] = [folder(), folder()]
    const config = (directory: string) => adapting(directory, { use: plugin, ...options })
    await lastValueFrom(run(config(whole)))
    const commands = new Subject<Command>()
    const stop = (event: RunEvent): void => {
      if (event.type === 'step.completed' && event.step === 7) commands.next({ type: 'stop', because: 'test' })
    }
    await lastValueFrom(run(config(parts), { commands }).pipe(tap(stop)))
    const held = Object.entries(stored(join(parts, 'checkpoints/7/state.safetensors'))).filter(([at]) =>
      at.startsWith('choice/'),
    )
    const expected = { 'movement-pruning': 'toy.dense.weight', 'token-rows': 'toy.embeddings.weight' }[name]
    expect(held.map(([at]) => at)).toEqual(expected === undefined ? [] : [`choice/${expected}`])
    await lastValueFrom(resume(parts, { searchPaths: { folders: ['.'], registered: [...toyPlugins, plugin] } }))
    expect(given).toEqual(['pass', 'pass', expected === undefined ? 'pass' : 'choice'])
    expect(readFileSync(join(parts, 'model/model.safetensors'))).toEqual(
      readFileSync(join(whole, 'model/model.safetensors')),
    )
    const zeros = [...stored(join(whole, 'model/model.safetensors'))['toy.dense.weight']!.values].filter((w) => w === 0)
    expect(zeros).toHaveLength(name === 'token-rows' ? 0 : 32)
  })
})

describe('an adapter that changes the model description', () => {
  it('limits the maximum length in training and for the saved model', async () => {
    const directory = folder()
    const seen = await lastValueFrom(run(adapting(directory, { use: promptTuning, count: 3 })).pipe(toArray()))
    expect(seen.find((event) => event.type === 'texts.truncated')).toMatchObject({ maximumLength: 5 })
    expect(seen.find((event) => event.type === 'run.started')).toMatchObject({ trainableParameters: 24 })
    const plain = await lastValueFrom(run(adapting(undefined, toyAdapter)).pipe(toArray()))
    expect(plain.find((event) => event.type === 'texts.truncated')).toMatchObject({ maximumLength: 8 })
    const lengths: number[] = []
    const watched = definePlugin({
      ...toyObjective,
      kind: OBJECTIVE,
      name: 'toy-objective',
      summary: 'Records its maximum length',
      options: toyObjective.options,
      needs: toyObjective.needs!,
      create: (options, given): Objective => {
        const objective = toyObjective(options, given as never) as Objective
        lengths.push(objective.maximumLength)
        return objective
      },
    })
    const registered = [...toyPlugins.filter(({ name }) => name !== 'toy-objective'), watched, promptTuning]
    await evaluateRun(directory, { split: 'validation', searchPaths: { folders: ['.'], registered } })
    expect(lengths).toEqual([5])
  })
})

describe('an adapter that cannot be merged', () => {
  const directory = folder()
  const searchPaths = { folders: ['.'], registered: [...toyPlugins, promptTuning] }
  const trained = lastValueFrom(run(adapting(directory, { use: promptTuning, count: 3 })).pipe(toArray()))

  it('is saved beside its base model, and applied in evaluation', async () => {
    const seen = await trained
    const { tensors, config } = adapterIn(join(directory, 'model'))
    expect(config).toEqual({ base_model_name_or_path: null, peft_type: 'PROMPTS' })
    expect(Object.values(tensors).map(({ shape }) => shape)).toEqual([[3, 8]])
    const base = stored(join(directory, 'model/model.safetensors'))
    expect(Object.keys(base).filter((name) => name.includes('prompt'))).toEqual([])
    const { scores } = await evaluateRun(directory, { split: 'validation', searchPaths })
    const last = seen.filter((event) => event.type === 'evaluation.completed').at(-1)!
    expect(scores['loss']!.value).toBeCloseTo(last.scores['loss']!.value, 5)
    const alone = folder()
    cpSync(directory, alone, { recursive: true })
    rmSync(join(alone, 'model/adapter'), { recursive: true })
    const without = await evaluateRun(alone, { split: 'validation', searchPaths, trust: true })
    expect(Math.abs(without.scores['loss']!.value - scores['loss']!.value)).toBeGreaterThan(1e-4)
  })

  it('is reported as missing by a run that starts from its base model', async () => {
    await trained
    const from = join(directory, 'model')
    const warnings = async (adapter: unknown) => {
      const seen = await lastValueFrom(
        run(adapting(undefined, adapter, { model: { use: toyModel, from } })).pipe(toArray()),
      )
      return seen.flatMap((event) => (event.type === 'run.warned' ? [event.message] : []))
    }
    expect(await warnings(toyAdapter)).toContainEqual(expect.stringContaining('without the adapter'))
    const continued = await warnings({ use: promptTuning, count: 3, from: join(from, 'adapter') })
    expect(continued.filter((message) => message.includes('without the adapter'))).toEqual([])
  })
})
