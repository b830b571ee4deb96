import { MODEL, type Model, OPTIMIZER, type Optimizer, SOURCE, type Source, definePlugin } from '@attune/core'
import { expect, it } from '@jest/globals'
import { z } from 'zod'
import { type RunConfig, runSchema } from '../plan/run-config.js'
import { run } from './run.js'

const never = (): never => {
  throw new Error('only types are tested')
}
const rows = definePlugin({
  kind: SOURCE,
  name: 'typed-rows',
  summary: 'Rows for the compiler',
  options: z.strictObject({ path: z.string() }),
  create: (): Source => never(),
})
const descent = definePlugin({
  kind: OPTIMIZER,
  name: 'typed-descent',
  summary: 'An optimizer for the compiler',
  options: z.strictObject({ momentum: z.number().default(0), mode: z.enum(['plain', 'nesterov']).default('plain') }),
  create: (): Optimizer => never(),
})
const network = definePlugin({
  kind: MODEL,
  name: 'typed-network',
  summary: 'A model for the compiler',
  options: z.strictObject({ hiddenSize: z.int() }),
  create: (): Model => never(),
})

declare module '@attune/core' {
  interface NamedPlugins {
    'optimizer typed-descent': typeof descent
    'source typed-rows': typeof rows
  }
}

const rest = { tokenizer: 'wordpiece', model: { use: 'bert' }, objective: 'sequence-classification' } as const
const data = { train: { use: rows, path: 'rows.jsonl' } } as const

// Type-level tests, never run: each line under an expectation must be a type error, or the build fails.
export function compilerRejects(parsed: RunConfig, targets: string): void {
  run({ ...rest, data, optimizer: { use: descent, momentum: 0.9, mode: 'nesterov', only: '*.bias' } })
  run({ ...rest, data, optimizer: ['some-clipping', { use: 'typed-descent', momentum: 0.9 }] })
  run({ ...rest, data, optimizer: { use: descent, mode: targets } })
  run({ ...rest, data, model: { use: network, from: 'folder', partial: true }, models: { teacher: 'bert' } })
  run({ ...rest, data: { train: { use: 'unknown-to-the-compiler', anything: [1] } }, saveAs: 'float16' })
  run(parsed)
  // @ts-expect-error -- an option of the wrong type, by value
  run({ ...rest, data, optimizer: { use: descent, momentum: 'much' } })
  // @ts-expect-error -- an unknown option, by value
  run({ ...rest, data, optimizer: { use: descent, momentun: 0.9 } })
  // @ts-expect-error -- an unknown option, by name
  run({ ...rest, data, optimizer: { use: 'typed-descent', momentun: 0.9 } })
  // @ts-expect-error -- an option of the wrong type, in a list
  run({ ...rest, data, optimizer: ['some-clipping', { use: 'typed-descent', momentum: '0.9' }] })
  // @ts-expect-error -- a value that is not among the allowed ones
  run({ ...rest, data, optimizer: { use: descent, mode: 'sideways' } })
  // @ts-expect-error -- an unknown option of a data source
  run({ ...rest, data: { train: { use: 'typed-rows', path: 'rows.jsonl', delimitr: ';' } } })
  // @ts-expect-error -- an option common to all models, of the wrong type
  run({ ...rest, data, model: { use: network, from: 3 } })
  // @ts-expect-error -- an unknown key of the configuration
  run({ ...rest, data, optimiser: descent })
  // @ts-expect-error -- an unknown setting of the training loop beside a known one
  run({ ...rest, data, training: { epochs: 3, batchsize: 8 } })
  // @ts-expect-error -- an unknown split
  run({ ...rest, data: { ...data, validaton: rows } })
  // @ts-expect-error -- a setting of the training loop out of its type
  run({ ...rest, data, training: { epochs: 'three' } })
}

it('accepts at run time what the compiler accepts', () => {
  const config = { ...rest, data, optimizer: { use: descent, momentum: 0.9, mode: 'nesterov', only: '*.bias' } }
  expect(runSchema.parse(config).optimizer).toMatchObject([{ plugin: descent, options: { momentum: 0.9 } }])
})
