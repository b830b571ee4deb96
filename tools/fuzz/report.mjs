// @ts-check
/** Writes docs/fuzzing.md. */
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from './seeds.mjs'

/** @import { Outcome } from './campaign.mjs' */

const count = (/** @type {number} */ n) => n.toLocaleString('en-US')
const megabytes = (/** @type {number} */ bytes) => count(Math.round(bytes / 1e6))

/** Bytes in a unit that suits them. @param {number} bytes */
const size = (bytes) =>
  bytes < 1e4
    ? `${count(bytes)} B`
    : bytes < 1e6
      ? `${count(Math.round(bytes / 1e3))} kB`
      : `${(bytes / 1e6).toFixed(1)} MB`

/** @param {Outcome} outcome */
function row({ name, counts }) {
  const { inputs, accepted, refused, crashed, slow, large, strayed, slowestSeconds, slowestBytes, largestMemory } =
    counts
  const slowest = `${slowestSeconds.toFixed(2)} s of ${size(slowestBytes)}`
  return [
    name,
    ...[inputs, accepted, refused, crashed, slow, large, strayed].map(count),
    slowest,
    `${megabytes(largestMemory)} MB`,
  ]
}

/** @param {readonly Outcome[]} outcomes @param {{ seed: number, hours: number, command: string }} about @returns {Promise<string>} */
export async function report(outcomes, { seed, hours, command }) {
  const total = outcomes.reduce((sum, { counts }) => sum + counts.inputs, 0)
  const text = `# Fuzzing the readers

Attune reads files and answers that others wrote: models, tokenizers, chat templates, data, configurations, run folders, the Hub.
Each reader received malformed inputs: ${count(total)} in all, from seed ${seed}, in ${hours.toFixed(1)} hours of one process.

Inputs are made in two ways. Most are valid inputs with parts changed, made by the grammar of their format, or lengthened. The
others are grown: for each reader and size, the inputs with the highest cost per byte are kept, and repeated, nested, spliced, scaled
and lengthened up to two megabytes, as long as that costs more.

| column | meaning |
| :-- | :-- |
| accepted | the reader returned |
| refused | it threw an \`AttuneError\` with a code that [has a page](errors/README.md) |
| crashed | it threw anything else, or its process ended |
| slow | it took more than 0.5 s of processor time and 2 s for each megabyte of input |
| large | the process grew by more than 512 MB |
| strayed | it loaded or looked up a module, opened a file outside the folder of its input, started a process or thread, opened a socket, or read the token of the Hub |
| slowest | the input that came closest to the limit of its size, or went furthest beyond it |
| memory | the greatest growth of the process during one input |

\`${command}\` wrote this page. Readers with more inputs than others had read those before it was stopped and started again with
\`--resume\`. A few thousand inputs are read in every test run. \`node tools/fuzz/run.mjs --help\` says how to run one reader, and how
to read a saved input again.

| reader | inputs | accepted | refused | crashed | slow | large | strayed | slowest | memory |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
${outcomes.map((outcome) => `| ${row(outcome).join(' | ')} |`).join('\n')}
`
  const file = join(root, 'docs/fuzzing.md')
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}
