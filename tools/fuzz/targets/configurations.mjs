// @ts-check
/** Configurations: YAML files with settings from the command line, and their resolution by a run. */
import { join } from 'node:path'
import { parseConfig } from '@attune/core'
import { planRun, runSchema } from '@attune/trainer/node'
import { readConfig, withSettings } from '../../../packages/cli/dist/read-config.js'
import { asText } from '../input.mjs'
import { parsedContainer } from '../mutate-json.mjs'
import { pluginsOf } from '../plugins.mjs'

/** @import { Input } from '../input.mjs' */
/** @import { Target } from '../target.mjs' */

const FILE = 'config.yaml'

const CLASSIFICATION = `seed: 3
directory: run
data:
  train: { use: jsonl, path: train.jsonl }
  validation: &rows { use: csv, path: rows.csv, delimiter: "\\t", columns: [text, label] }
  test: *rows
tokenizer: wordpiece
model: { use: bert, hiddenSize: 32, numHiddenLayers: 1, numAttentionHeads: 2, intermediateSize: 64 }
objective: { use: sequence-classification, maximumLength: 32, padToMultipleOf: 16 } # the task
adapter:
  use: lora
  rank: 4
engine: tfjs-cpu
optimizer:
  - { use: adamw, weightDecay: 0.1 }
scheduler: { use: linear }
metric: [accuracy, { use: f1, average: macro }]
callback: { use: checkpoint, everySteps: 5 }
tracker: [jsonl]
training: { epochs: 3, batchSize: 8, learningRate: 1.0e-3 }
`

const GENERATION = `data: { train: { use: jsonl, path: train.jsonl } }
tokenizer: { use: bpe }
model: gpt2
objective: causal-language-modeling
engine: tfjs-cpu
protocol: { use: holdout, validation: 0.2 }
training:
  evaluateEvery: epoch
`

const KINDS = ['source', 'tokenizer', 'model', 'objective', 'adapter', 'engine', 'optimizer', 'scheduler']
const MORE_KINDS = ['metric', 'callback', 'tracker', 'protocol']

/** @param {Input} input @param {string} folder */
function read({ settings = '[]' }, folder) {
  const { config, locate } = readConfig(join(folder, FILE))
  const given = Object.values(parsedContainer(String(settings)) ?? []).map(asText)
  return { config: withSettings(config, given), locate }
}

/** @returns {Promise<Target[]>} */
export async function targets() {
  const registered = await pluginsOf([...KINDS, ...MORE_KINDS])
  const settings = JSON.stringify(['training.epochs=5', 'metric=[accuracy]', 'directory="x"'])
  const valid = [CLASSIFICATION, GENERATION].map((text) => ({ [FILE]: text, settings }))
  return [
    {
      name: 'YAML configuration',
      files: true,
      valid,
      read(input, folder) {
        const { config, locate } = read(input, folder)
        parseConfig(runSchema, config, locate)
      },
    },
    {
      name: 'YAML configuration, with plugins and their options',
      files: true,
      mayLookUp: true,
      valid,
      read(input, folder) {
        const { config, locate } = read(input, folder)
        return planRun(config, { baseDirectory: folder, searchPaths: { registered, folders: [], local: [] }, locate })
      },
    },
  ]
}
