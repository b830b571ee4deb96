// @ts-check
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { root } from '../check/packages.mjs'

const built = join(root, 'tools/tfjs-native/dist/node_modules/@tensorflow/tfjs-node')
const absent = existsSync(built) ? false : 'tfjs-node is not built: run node tools/tfjs-native/build.mjs'
if (absent) console.log(`Skipping fine-tuning on tfjs-node: ${absent}`)

const folder = mkdtempSync(join(tmpdir(), 'attune-native-'))
after(() => rmSync(folder, { recursive: true }))
const EXAMPLES = 240

/** @param {string[]} args */
const attune = (...args) =>
  spawnSync(process.execPath, [join(root, 'packages/cli/dist/main.js'), ...args], {
    encoding: 'utf8',
    cwd: root,
    env: { ...process.env, ATTUNE_TFJS_NODE: built, TF_CPP_MIN_LOG_LEVEL: '2' },
  })

test(
  'fine-tunes the pretrained encoder on tfjs-node, and other engines make the same predictions',
  { skip: absent },
  () => {
    const sections = join(root, 'examples/debian-sections')
    const rows = gunzipSync(readFileSync(join(sections, 'train.jsonl.gz')))
      .toString()
      .trim()
      .split('\n')
    writeFileSync(join(folder, 'train.jsonl'), rows.slice(0, EXAMPLES).join('\n'))
    const run = join(folder, 'run')
    const settings = [
      'engine=tfjs-node-gpu',
      `data.train.path=${JSON.stringify(join(folder, 'train.jsonl'))}`,
      `data.validation.path=${JSON.stringify(join(folder, 'train.jsonl'))}`,
      'objective.maximumLength=32',
      'training.epochs=3',
      'tracker=jsonl',
    ].flatMap((setting) => ['--set', setting])
    const trained = attune('train', join(sections, 'config.yaml'), '--directory', run, ...settings)
    assert.equal(trained.status, 0, trained.stderr)
    const events = readFileSync(join(run, 'events.jsonl'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    assert.match(events.find(({ type }) => type === 'run.started').engine, /tfjs-node/)
    const losses = events.filter(({ type }) => type === 'evaluation.completed').map(({ scores }) => scores.loss.value)
    assert.ok(losses.at(-1) < 0.9 * losses[0], `the loss did not fall: ${losses.join(', ')}`)

    const config = JSON.parse(readFileSync(join(run, 'config.json'), 'utf8'))
    const predict = () => {
      const { status, stdout, stderr } = attune('predict', run, 'Strategy game in which armies conquer an island')
      assert.equal(status, 0, stderr)
      return JSON.parse(stdout).scores
    }
    const native = predict()
    writeFileSync(join(run, 'config.json'), JSON.stringify({ ...config, engine: { use: 'onnxruntime' } }))
    const compiled = predict()
    for (const [label, score] of Object.entries(native)) assert.ok(Math.abs(score - compiled[label]) < 1e-4, label)
  },
)
