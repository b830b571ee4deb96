// @ts-check
/** Checks the baselines of examples/debian-sections against its configuration files and README. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import yaml from 'yaml'
import { root } from './packages.mjs'

const read = (/** @type {string} */ path) => readFileSync(join(root, 'examples', path), 'utf8')

it('untrained.yaml differs from config.yaml only in the initial weights', () => {
  const [pretrained, untrained] = ['config', 'untrained'].map((name) =>
    yaml.parse(read(`debian-sections/${name}.yaml`)),
  )
  const { use, ...size } = untrained.model
  assert.deepEqual({ ...untrained, model: 0, directory: 0 }, { ...pretrained, model: 0, directory: 0 })
  const saved = JSON.parse(read('models/debian-bert/config.json'))
  const inSnakeCase = (/** @type {string} */ name) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  const expected = Object.keys(size).map((name) => [name, saved[inSnakeCase(name)]])
  assert.deepEqual([use, size], [saved.model_type, Object.fromEntries(expected)])
})

it('scores.json has the scores of the README table', () => {
  const table = read('debian-sections/README.md')
  for (const { accuracy, macroF1, model } of JSON.parse(read('debian-sections/scores.json')).scores)
    assert.match(table, new RegExp(`\\| ${accuracy.toFixed(3)} +\\| ${macroF1.toFixed(3)} +\\|`), model)
})
