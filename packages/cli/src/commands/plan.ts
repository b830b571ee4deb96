import { type Estimate, estimateRun } from '@attune/trainer/node'
import { formatBytes, formatCount, formatDuration, table, trainingTable } from '@attune/terminal'
import { Command } from 'commander'
import { collect } from '../collect.js'
import { openConfig } from '../open-config.js'

const milliseconds = (time: number | undefined): string => (time === undefined ? 'not tried' : `${time.toFixed(0)} ms`)

/** A share in percent, with at least two digits. */
const formatShare = (share: number): string => `${(100 * share).toPrecision(share >= 1 ? 3 : 2)} %`

const cacheRows = ({ cache }: Estimate): readonly string[][] =>
  cache === undefined
    ? []
    : [
        [
          'cached outputs',
          `${formatBytes(cache.bytes)} in ${cache.location}, computed in ${formatDuration(cache.seconds)}`,
        ],
      ]

const rolloutRows = ({ rollouts }: Estimate): readonly string[][] =>
  rollouts === undefined
    ? []
    : [
        [
          'rollout',
          `${milliseconds(rollouts.seconds * 1000)} with the weights before training, ${formatCount(rollouts.count)} in the run`,
        ],
      ]

/** An estimate as a table of facts, a table of what trains, and a table of batch shapes. */
export function forecastText(found: Estimate): string {
  const { peakBytes, availableBytes, seconds } = found
  const share = Math.round((100 * peakBytes) / availableBytes)
  const trained = formatShare(found.trainableParameters / found.parameters)
  const rows = [
    ['engine', found.engine],
    [
      'parameters',
      `${formatCount(found.parameters)}, of which ${formatCount(found.trainableParameters)} train (${trained})`,
    ],
    ['steps', `${formatCount(found.steps)}, over ${formatCount(found.examples)} examples`],
    ['step', milliseconds(found.stepSeconds * 1000)],
    ...rolloutRows(found),
    ['evaluation', formatDuration(found.evaluationSeconds)],
    ['checkpoint', `${formatDuration(found.checkpoint.seconds)}, ${formatBytes(found.checkpoint.bytes)}`],
    ...cacheRows(found),
    ['start', formatDuration(found.setupSeconds)],
    ['whole run', seconds === undefined ? 'unknown' : `${formatDuration(seconds)}, checkpoints aside`],
    ['memory', `${formatBytes(peakBytes)} at the peak, ${share} % of the ${formatBytes(availableBytes)} that are free`],
  ]
  const shapes = found.shapes.map(({ shape, steps, milliseconds: time, compiling }) => [
    shape,
    String(Math.round(steps)),
    milliseconds(time),
    milliseconds(compiling),
  ])
  return [
    ...table(['', ''], rows).slice(1),
    '',
    ...trainingTable(found.trains.groups),
    '',
    ...table(['batch', 'steps an epoch', 'a step', 'compiling'], shapes),
    ...(seconds === undefined
      ? [
          '',
          'This does not fit. Lower training.microBatchSize or the maximum length, or set training.gradientCheckpointing.',
        ]
      : []),
  ].join('\n')
}

/** `attune plan` */
export const planCommand = (): Command =>
  new Command('plan')
    .summary('estimate memory and time of a run, and show what trains')
    .description(
      'Measures a few steps of each batch shape of a run, and reports its peak memory and time, and which parameters of each layer train. Of an objective with rollouts, such as GRPO, three batches of completions are generated and measured. Nothing is saved.',
    )
    .argument('<config>', 'configuration file')
    .option('--set <key.path=value>', 'set a value of the configuration; repeatable', collect, [])
    .option('--json', 'print JSON')
    .addHelpText('after', '\nExample:\n  npx attune plan config.yaml --set training.microBatchSize=8')
    .action(async (target: string, flags: { set: readonly string[]; json?: boolean }) => {
      const { whole, options } = await openConfig(target, flags.set)
      const found = await estimateRun(whole, {
        ...options,
        progress: (trial, trials, shape) => process.stderr.write(`trying batches of ${shape}, ${trial} of ${trials}\n`),
      })
      process.stdout.write(`${flags.json === true ? JSON.stringify(found) : forecastText(found)}\n`)
    })
