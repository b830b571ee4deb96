// @ts-check
/** Writes docs/measurements/fuzzing.md. */
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { root } from './seeds.mjs'

/** @import { Outcome } from './campaign.mjs' */

const count = (/** @type {number} */ n) => n.toLocaleString('en-US')
const megabytes = (/** @type {number} */ bytes) => count(Math.round(bytes / 1e6))

/** Formats bytes with a suitable unit. @param {number} bytes */
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
  const text = `# Fuzzing

Attune reads external data: models, tokenizers, chat templates, datasets, configurations, run folders, and responses of the Hub. Each
reader was fuzzed with malformed inputs: ${count(total)} in total, with seed ${seed}, in ${hours.toFixed(1)} hours of one process.

Inputs are generated in two ways. Most are valid inputs with mutated parts, generated from the grammar of their format, or lengthened. The
others are grown: for each reader and size, the inputs with the highest cost per byte are kept, and repeated, nested, spliced, scaled
and lengthened up to two megabytes, while that increases the cost.

| column | meaning |
| :-- | :-- |
| accepted | the reader returned |
| refused | it threw an \`AttuneError\` with a code that [has a page](../errors/README.md) |
| crashed | it threw anything else, or its process ended |
| slow | it took more than 0.5 s of CPU time plus 2 s per megabyte of input |
| large | the process grew by more than 512 MB |
| strayed | it loaded or resolved a module, opened a file outside the folder of its input, started a process or thread, opened a socket, or read the Hub token |
| slowest | the input that came closest to the limit of its size, or went furthest beyond it |
| memory | the largest growth of the process during one input |

\`${command}\` generated this page. Readers with more inputs than others had read those before the campaign was stopped and resumed with
\`--resume\`. The test suite reads a few thousand inputs. See \`node tools/fuzz/run.mjs --help\` to run one reader or to replay a saved
input.

| reader | inputs | accepted | refused | crashed | slow | large | strayed | slowest | memory |
| :-- | --: | --: | --: | --: | --: | --: | --: | --: | --: |
${outcomes.map((outcome) => `| ${row(outcome).join(' | ')} |`).join('\n')}
`
  const file = join(root, 'docs/measurements/fuzzing.md')
  return format(text, { ...(await resolveConfig(file)), filepath: file })
}
