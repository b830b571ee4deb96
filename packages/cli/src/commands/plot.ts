import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { AttuneError, isRecord } from '@attune/core'
import { type Point, curve, formatCount, formatNumber, trainingMapSvg, trainingTable } from '@attune/terminal'
import {
  type LearningRateRange,
  type RunConfig,
  type Schedules,
  findLearningRate,
  mapRun,
  planSchedules,
} from '@attune/trainer/node'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { liveText } from '../live-text.js'
import { openConfig } from '../open-config.js'
import { integerFrom, positiveNumber } from '../number-flags.js'

interface PlotFlags {
  readonly set: readonly string[]
  readonly steps?: number
  readonly json?: boolean
}

interface RangeFlags extends PlotFlags {
  readonly from: number
  readonly to: number
}

/** Number of steps at which a schedule is drawn. */
const SAMPLES = 400
/** Losses above this multiple of the first one are not plotted. */
const SHOWN = 1.2
const plain = (_color: string, text: string): string => text
const columnsOf = ({ columns = 80 }: { readonly columns?: number }): number => Math.min(columns, 120)

/** Plots of the learning rate and of every other scheduled option over the steps of a run. */
export function schedulesText({ steps, at }: Schedules, columns: number): string {
  const samples = Math.min(steps, SAMPLES)
  const sampled = Array.from({ length: samples }, (_, i) =>
    Math.round(1 + (i * (steps - 1)) / Math.max(1, samples - 1)),
  )
  const values = sampled.map((step) => [step, at(step)] as const)
  const ends = (first: number, last: number) => [`step ${formatCount(first)}`, formatCount(last)] as const
  const plots = Object.keys(at(1)).map((path) => {
    const points = values.map(([step, all]): Point => [step, all[path]!])
    const drawn = curve(points, [], columns, plain, { line: path, marks: '', ends })
    return drawn.length > 0 ? drawn : [`${path}: ${formatNumber(points[0]![1])} at the only step`]
  })
  return plots.map((lines) => lines.join('\n')).join('\n\n')
}

/** Plot of a learning-rate range test, and the suggested learning rate. */
export function rangeText({ points, steepest, lowest }: LearningRateRange, columns: number): string {
  // Diverging losses would hide the fall in a flat line.
  const end = points.findIndex(({ smoothed }) => smoothed > SHOWN * points[0]!.smoothed)
  const lines = curve(
    points
      .slice(0, end < 0 ? points.length : end)
      .map(({ learningRate, smoothed }): Point => [Math.log10(learningRate), smoothed]),
    [],
    columns,
    plain,
    {
      line: 'training loss, smoothed',
      marks: '',
      ends: (first, last) => [`learning rate ${(10 ** first).toExponential(0)}`, (10 ** last).toExponential(0)],
    },
  )
  const advice =
    steepest === undefined
      ? 'The loss never falls: try a wider range or more steps.'
      : `The loss falls fastest at ${steepest.toExponential(1)} and is lowest at ${lowest.toExponential(1)}.\nSet it: --set training.learningRate=${steepest.toExponential(1)}`
  return [...lines, '', advice].join('\n')
}

const scheduleCommand = (): Command =>
  new Command('schedule')
    .summary('plot the learning rate over the steps')
    .description(
      'Plots the learning rate and the other scheduled options of a configuration over the steps of its run.',
    )
    .argument('<config>', 'configuration file')
    .option('--steps <number>', 'number of steps. Default: counted from the training data', integerFrom(1))
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print the values of each step as JSON')
    .addHelpText('after', '\nExample:\n  npx attune plot schedule config.yaml --set scheduler=cosine')
    .action(async (target: string, { set, steps, json = false }: PlotFlags) => {
      const { whole, options } = await openConfig(target, set)
      const schedules = await planSchedules(whole, { ...options, ...(steps === undefined ? {} : { steps }) })
      const values = (): unknown =>
        Array.from({ length: schedules.steps }, (_, i) => ({ step: i + 1, ...schedules.at(i + 1) }))
      process.stdout.write(`${json ? JSON.stringify(values()) : schedulesText(schedules, columnsOf(process.stdout))}\n`)
    })

const learningRateCommand = (): Command =>
  new Command('learning-rate')
    .summary('find a learning rate by a range test')
    .description(
      'Trains a few steps with a learning rate that grows exponentially, plots the loss, and suggests a rate. Nothing is saved.',
    )
    .argument('<config>', 'configuration file')
    .option('--from <rate>', 'first learning rate', positiveNumber, 1e-7)
    .option('--to <rate>', 'last learning rate', positiveNumber, 1)
    .option('--steps <number>', 'number of steps', integerFrom(2), 100)
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune plot learning-rate config.yaml --to 0.01')
    .action(async (target: string, { set, json = false, from, to, steps = 100 }: RangeFlags) => {
      const { whole, options } = await openConfig(target, set)
      const live = liveText(process.stderr)
      const range = await findLearningRate(whole, {
        ...options,
        ...{ from, to, steps },
        progress: ({ learningRate, smoothed }, step) =>
          live.draw([
            `step ${step} of ${steps}, learning rate ${learningRate.toExponential(1)}, loss ${formatNumber(smoothed)}`,
          ]),
      }).finally(() => live.clear())
      process.stdout.write(`${json ? JSON.stringify(range) : rangeText(range, columnsOf(process.stdout))}\n`)
    })

const trainableCommand = (): Command =>
  new Command('trainable')
    .summary('show which parameters train')
    .description(
      'Shows which parameters of each layer group train under the adapter of a configuration: all of a kind, a part of it, an adapter next to it, or none. Trains nothing.',
    )
    .argument('<config>', 'configuration file')
    .option('--svg <file>', 'write an SVG image to a new file')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune plot trainable config.yaml --set adapter=lora --svg trainable.svg')
    .action(async (target: string, { set, json = false, svg }: PlotFlags & { readonly svg?: string }) => {
      if (svg !== undefined) requireNewFile(svg)
      const { whole, options } = await openConfig(target, set)
      const { groups } = await mapRun(whole, options)
      if (svg !== undefined)
        await writeFile(svg, trainingMapSvg([{ title: titleOf(whole), rows: groups }]), { flag: 'wx' })
      process.stdout.write(`${json ? JSON.stringify(groups) : trainingTable(groups).join('\n')}\n`)
    })

/** @throws AttuneError `FILE_EXISTS` */
function requireNewFile(file: string): void {
  if (!existsSync(file)) return
  throw new AttuneError(
    'FILE_EXISTS',
    `${file} already exists`,
    'Choose another file with --svg, or move the existing one.',
  )
}

/** Name of the adapter in a configuration. */
function titleOf({ adapter = 'full' }: RunConfig): string {
  const use = isRecord(adapter) ? adapter['use'] : adapter
  return typeof use === 'string' ? use : 'adapter'
}

/** `attune plot` */
export const plotCommand = (): Command =>
  new Command('plot')
    .summary('plot schedules and what trains, and find a learning rate')
    .description(
      'Plots the schedules of a configuration, the parameters that train, or the loss over a range of learning rates.',
    )
    .addCommand(scheduleCommand())
    .addCommand(trainableCommand())
    .addCommand(learningRateCommand())
