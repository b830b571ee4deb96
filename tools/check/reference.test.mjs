// @ts-check
/** Tests of the generated reference pages. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { METRIC, SCHEDULER, use, useAll } from '@attune/core'
import { Command } from 'commander'
import { z } from 'zod'
import { cliPage, helpAsMarkdown } from './reference/cli.mjs'
import { configurationPage } from './reference/configuration.mjs'
import { declaredEvents } from './reference/event-declarations.mjs'

describe('configuration page', () => {
  const run = z.strictObject({
    scheduler: use(SCHEDULER).prefault('linear').describe('Schedule'),
    metric: useAll(METRIC).prefault([]).describe('Metrics'),
    schedule: z.record(z.string(), use(SCHEDULER)).optional().describe('Other schedules'),
    training: z.strictObject({ clip: z.number().positive().nullable().default(1).describe('Clipping') }).prefault({}),
  })
  const study = z.strictObject({
    goals: z.array(z.union([z.string(), z.strictObject({ score: z.string().describe('Score') })])).describe('Goals'),
  })
  const rows = configurationPage(run, study)
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  it('links each key that names plugins to their kind', () =>
    assert.deepEqual(rows.slice(0, 3), [
      '| `scheduler` | [scheduler](plugins.md#scheduler) | `"linear"` | Schedule |',
      '| `metric` | [metric](plugins.md#metric), or a list of them | `[]` | Metrics |',
      '| `schedule` | record of [scheduler](plugins.md#scheduler) | none | Other schedules |',
    ]))
  it('lists nested keys by path, and keys inside lists', () =>
    assert.deepEqual(rows.slice(3, 6), [
      '| `training.clip` | number > 0 or `null` | `1` | Clipping |',
      '| `study.goals` | list of (text or `{ score }`) | required | Goals |',
      '| `study.goals.score` | text | required | Score |',
    ]))
  it('lists the common options of the kinds', () =>
    assert.ok(rows.some((row) => row.startsWith('| `of` | text | none |'))))
})

describe('command-line page', () => {
  it('lists subcommands, arguments, options and examples', () => {
    const list = new Command('list')
      .description('Lists models.')
      .argument('<folder>', 'folder of models')
      .option('--top <number>', 'number of models', '3')
      .addHelpText('after', '\nExamples:\n  models list x')
    const program = new Command('models').description('Manages models.').addCommand(list)
    const page = cliPage(program)
    for (const expected of [
      '| [`list`](#attune-list) | Lists models. |',
      '## `models list`',
      'npx models list [options] <folder>',
      '| `folder` | required | folder of models |',
      '| `--top <number>` | `"3"` | number of models |',
      'Examples:\n\n```sh\nmodels list x\n```',
    ])
      assert.ok(page.includes(expected), `${expected}\n\nis missing in\n\n${page}`)
  })
  it('keeps paragraphs of help and fences indented lines', () =>
    assert.equal(helpAsMarkdown('Note.\nCodes:\n  0  success'), 'Note.\n\nCodes:\n\n```text\n0  success\n```'))
})

describe('declared events', () => {
  const declared = (/** @type {string} */ source) => declaredEvents('@attune/x', 'src/x.ts', source)
  it('reads the interfaces of events, also those merged into another module', () => {
    const source = `declare module '@attune/core' {
      interface RunEvents {
        /** A fold starts. */
        'fold.started': Facts & { readonly fold: number; readonly names?: readonly string[] }
      }
    }
    interface Facts {
      /** Random seed. */
      readonly seed: number
    }`
    const fields = [
      { name: 'seed', optional: false, type: 'number', text: 'Random seed.' },
      { name: 'fold', optional: false, type: 'number', text: '' },
      { name: 'names', optional: true, type: 'string[]', text: '' },
    ]
    assert.deepEqual(declared(source), [
      {
        name: 'RunEvents',
        packageName: '@attune/x',
        text: '',
        members: [{ name: 'fold.started', text: 'A fold starts.', fields }],
      },
    ])
  })
  it('reads unions of events with the comment of each', () => {
    const source = `/** An event of {@link generate}. */
    export type GenerationEvent =
      /** A token. */
      | { readonly type: 'token'; readonly id: number }
      | { readonly type: 'finished' }`
    const [group] = declared(source)
    assert.equal(group?.text, 'An event of `generate`.')
    assert.deepEqual(group?.members, [
      { name: 'token', text: 'A token.', fields: [{ name: 'id', optional: false, type: 'number', text: '' }] },
      { name: 'finished', text: '', fields: [] },
    ])
  })
  it('ignores unexported interfaces and types composed of others', () =>
    assert.deepEqual(declared('interface MyEvents { a: {} }\nexport type MyEvent = A | B'), []))
})
