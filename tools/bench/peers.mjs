// @ts-check
/** The peers, and how each is started and spoken to: a line in, a line of JSON out. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../check/packages.mjs'
import { PROMPT } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/**
 * A peer: its name, what is said of it, how often it is asked (as a share of a workload's rounds), and the command that
 * starts it, and what it does: training and inference, if nothing is said.
 * @typedef {{ name: string, about: string, share: number, command: (given: Given) => string[], tasks?: readonly Workload['task'][], environment?: Record<string, string> }} Peer
 */
/** A peer that runs. @typedef {{ ask: (line: string) => Promise<any>, begun: number, ready: string }} Conversation */

const folder = join(root, 'tools/bench')
const python = process.env['PYTHON'] ?? 'python3'
const tfjsNode =
  process.env['ATTUNE_TFJS_NODE'] ?? join(root, 'tools/tfjs-native/dist/node_modules/@tensorflow/tfjs-node')

/** What a peer is given: the workload and the file of the weights. @typedef {{ workload: Workload, weights: string, create?: boolean }} Given */
/** @param {string} engine the module of the engine @param {Record<string, string>} [options] of the engine @param {object} [writing] how it writes */
const attune = (engine, options, writing) => (/** @type {Given} */ given) => [
  process.execPath,
  join(folder, given.workload.task === 'write' ? 'peer-attune-writing.mjs' : 'peer-attune.mjs'),
  JSON.stringify({ engine, options, writing, ...given }),
]
/** @param {{ compile?: boolean, device?: 'cpu' | 'cuda' }} how */
const pytorch =
  ({ compile = false, device = 'cpu' }) =>
  (/** @type {Given} */ given) => [
    python,
    join(folder, given.workload.task === 'write' ? 'peer_pytorch_writing.py' : 'peer_pytorch.py'),
    JSON.stringify({ compile, device, threads: availableParallelism(), prompt: PROMPT, ...given }),
  ]

/** @type {readonly Peer[]} */
export const PEERS = [
  {
    name: 'attune',
    about: 'Attune, engine onnxruntime',
    share: 1,
    tasks: ['train', 'infer', 'write'],
    command: attune('@attune/engine-onnxruntime'),
  },
  {
    name: 'attune-ahead',
    about: 'the same with promptLookupTokens: 5, which guesses from what stands in the text',
    share: 1,
    tasks: ['write'],
    command: attune('@attune/engine-onnxruntime', undefined, { promptLookupTokens: 5 }),
  },
  {
    name: 'pytorch',
    about: 'PyTorch eager, transformers, peft for LoRA, fused AdamW',
    share: 1,
    tasks: ['train', 'infer', 'write'],
    command: pytorch({}),
  },
  { name: 'pytorch-compile', about: 'the same under torch.compile', share: 1, command: pytorch({ compile: true }) },
  {
    name: 'tfjs-node',
    about: "Attune's step on tfjs-node, eager",
    share: 0.5,
    command: attune('@attune/engine-tfjs-node-gpu'),
    environment: { ATTUNE_TFJS_NODE: tfjsNode },
  },
  {
    name: 'tfjs-wasm',
    about: "Attune's step on the TF.js WASM backend with the faster kernels of @attune/engine-tfjs-wasm, eager",
    share: 0.2,
    command: attune('@attune/engine-tfjs-wasm'),
  },
  {
    name: 'tfjs-wasm-stock',
    about: "Attune's step on the TF.js WASM backend as shipped, with only the kernels that it lacks supplied, eager",
    share: 0.2,
    command: attune(join(folder, 'engine-tfjs-wasm-stock.mjs')),
  },
  {
    name: 'transformers-js',
    about: '@huggingface/transformers in JavaScript, on ONNX Runtime',
    share: 1,
    tasks: ['write'],
    command: (given) => [
      process.execPath,
      join(folder, 'peer-transformers-js.mjs'),
      JSON.stringify({ threads: availableParallelism(), ...given }),
    ],
  },
  {
    name: 'tfjs-cpu',
    about: "Attune's step on TF.js in plain JavaScript",
    share: 0.2,
    command: attune('@attune/engine-tfjs-cpu'),
  },
]

/** Those that compute on a graphics card. @type {readonly Peer[]} */
export const GPU_PEERS = [
  {
    name: 'attune',
    about: 'Attune, engine onnxruntime, device webgpu',
    share: 1,
    command: attune('@attune/engine-onnxruntime', { device: 'webgpu' }),
  },
  {
    name: 'tfjs-webgpu',
    about: "Attune's step on the TF.js WebGPU backend, eager",
    share: 1,
    command: attune('@attune/engine-tfjs-webgpu'),
  },
  {
    name: 'pytorch-cuda',
    about: 'PyTorch eager on CUDA, transformers, peft for LoRA, fused AdamW',
    share: 1,
    command: pytorch({ device: 'cuda' }),
  },
]

/** Whether a peer does a task. @param {Peer} peer @param {Workload['task']} task */
export const does = ({ tasks = ['train', 'infer'] }, task) => tasks.includes(task)

/** Why a peer cannot take part here, and what to do; nothing where it can. @param {Peer} peer */
export function absent({ name }) {
  if (name === 'tfjs-node' && !existsSync(tfjsNode)) return 'not built: node tools/tfjs-native/build.mjs'
  if (name === 'transformers-js' && process.env['ATTUNE_TRANSFORMERS_JS'] === undefined)
    return 'npm install --prefix FOLDER @huggingface/transformers@4.3.1, name FOLDER/node_modules/@huggingface/transformers in ATTUNE_TRANSFORMERS_JS, and a Python with optimum-onnx in PYTHON_ONNX'
  if (!name.startsWith('pytorch')) return undefined
  const found = spawnSync(python, ['-c', 'import torch, transformers, peft, safetensors'], { encoding: 'utf8' })
  if (found.status === 0) return undefined
  return 'pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 safetensors, and name that Python in PYTHON'
}

/** What a process said went wrong: its last line that speaks of an error, or its last line. @param {string} text */
function complaint(text) {
  const lines = text.trim().split('\n')
  return (lines.findLast((line) => /error/i.test(line)) ?? lines.at(-1) ?? '').trim().slice(0, 200)
}

/** Starts a peer and waits until it is ready. @param {Peer} peer @param {Given} given @returns {Promise<Conversation>} */
export async function start({ name, command, environment = {} }, given) {
  const begun = performance.now()
  const [program = '', ...arguments_] = command(given)
  const child = spawn(program, arguments_, {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', ...environment },
  })
  let errors = ''
  child.stderr.on('data', (/** @type {Buffer} */ data) => (errors = (errors + data).slice(-5000)))
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done === true) throw new Error(`${name} ended: ${complaint(errors)}`)
    return JSON.parse(value)
  }
  const { ready } = await answer()
  const ask = async (/** @type {string} */ line) => {
    child.stdin.write(`${line}\n`)
    return answer()
  }
  return { ask, begun, ready }
}

/** Writes weights that all peers start from. @param {Workload} workload @param {string} weights */
export function createWeights(workload, weights) {
  const [program = '', ...arguments_] = attune('@attune/engine-onnxruntime')({ workload, weights, create: true })
  const { status, stderr } = spawnSync(program, arguments_, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
