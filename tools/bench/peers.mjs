// @ts-check
/** The peers, and the protocol to start and query them: one line in, one line of JSON out. */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { root } from '../check/packages.mjs'
import { PROMPT } from './workloads.mjs'

/** @typedef {import('./workloads.mjs').Workload} Workload */
/**
 * A peer: its name, description, the fraction of a workload's rounds that it runs, the command that starts it, and its tasks (by default
 * training and inference).
 * @typedef {{ name: string, about: string, fraction: number, command: (given: Given) => string[], tasks?: readonly Workload['task'][], environment?: Record<string, string> }} Peer
 */
/** A running peer. @typedef {{ ask: (line: string) => Promise<any>, begun: number, ready: string }} Conversation */

const folder = join(root, 'tools/bench')
const python = process.env['PYTHON'] ?? 'python3'
const tfjsNode =
  process.env['ATTUNE_TFJS_NODE'] ?? join(root, 'tools/tfjs-native/dist/node_modules/@tensorflow/tfjs-node')

/** Input of a peer: the workload and the weight file. @typedef {{ workload: Workload, weights: string, create?: boolean }} Given */
/** @param {string} engine the module of the engine @param {Record<string, string>} [options] of the engine @param {object} [writing] generation options */
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
    fraction: 1,
    tasks: ['train', 'infer', 'write'],
    command: attune('@attune/engine-onnxruntime'),
  },
  {
    name: 'attune-ahead',
    about: 'the same with promptLookupTokens: 5 (speculative decoding with prompt lookup)',
    fraction: 1,
    tasks: ['write'],
    command: attune('@attune/engine-onnxruntime', undefined, { promptLookupTokens: 5 }),
  },
  {
    name: 'pytorch',
    about: 'PyTorch eager, transformers, peft for LoRA, fused AdamW',
    fraction: 1,
    tasks: ['train', 'infer', 'write'],
    command: pytorch({}),
  },
  { name: 'pytorch-compile', about: 'the same with torch.compile', fraction: 1, command: pytorch({ compile: true }) },
  {
    name: 'tfjs-node',
    about: "Attune's step on tfjs-node, eager",
    fraction: 0.5,
    command: attune('@attune/engine-tfjs-node-gpu'),
    environment: { ATTUNE_TFJS_NODE: tfjsNode },
  },
  {
    name: 'tfjs-wasm',
    about: "Attune's step on the TF.js WASM backend with the faster kernels of @attune/engine-tfjs-wasm, eager",
    fraction: 0.2,
    command: attune('@attune/engine-tfjs-wasm'),
  },
  {
    name: 'tfjs-wasm-stock',
    about: "Attune's step on the TF.js WASM backend as shipped, with only its missing kernels added, eager",
    fraction: 0.2,
    command: attune(join(folder, 'engine-tfjs-wasm-stock.mjs')),
  },
  {
    name: 'transformers-js',
    about: '@huggingface/transformers in JavaScript, on ONNX Runtime',
    fraction: 1,
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
    fraction: 0.2,
    command: attune('@attune/engine-tfjs-cpu'),
  },
]

/** Peers that run on a GPU. @type {readonly Peer[]} */
export const GPU_PEERS = [
  {
    name: 'attune',
    about: 'Attune, engine onnxruntime, device webgpu',
    fraction: 1,
    command: attune('@attune/engine-onnxruntime', { device: 'webgpu' }),
  },
  {
    name: 'tfjs-webgpu',
    about: "Attune's step on the TF.js WebGPU backend, eager",
    fraction: 1,
    command: attune('@attune/engine-tfjs-webgpu'),
  },
  {
    name: 'pytorch-cuda',
    about: 'PyTorch eager on CUDA, transformers, peft for LoRA, fused AdamW',
    fraction: 1,
    command: pytorch({ device: 'cuda' }),
  },
]

/** True if a peer supports a task. @param {Peer} peer @param {Workload['task']} task */
export const does = ({ tasks = ['train', 'infer'] }, task) => tasks.includes(task)

/** The reason and remedy if a peer is not available, else undefined. @param {Peer} peer */
export function absent({ name }) {
  if (name === 'tfjs-node' && !existsSync(tfjsNode)) return 'not built: run node tools/tfjs-native/build.mjs'
  if (name === 'transformers-js' && process.env['ATTUNE_TRANSFORMERS_JS'] === undefined)
    return 'run npm install --prefix FOLDER @huggingface/transformers@4.3.1, set ATTUNE_TRANSFORMERS_JS to FOLDER/node_modules/@huggingface/transformers and PYTHON_ONNX to a Python with optimum-onnx'
  if (!name.startsWith('pytorch')) return undefined
  const found = spawnSync(python, ['-c', 'import torch, transformers, peft, safetensors'], { encoding: 'utf8' })
  if (found.status === 0) return undefined
  return 'run pip install torch==2.15.0 transformers==5.23.0 peft==0.21.2 safetensors, and set PYTHON to that Python'
}

/** The error message in a process's output: the last line that mentions an error, or the last line. @param {string} text */
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

/** Writes the common initial weights of all peers. @param {Workload} workload @param {string} weights */
export function createWeights(workload, weights) {
  const [program = '', ...arguments_] = attune('@attune/engine-onnxruntime')({ workload, weights, create: true })
  const { status, stderr } = spawnSync(program, arguments_, { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
}
