// @ts-check
/** Weights: safetensors in memory, in a file and in shards with an index; GGUF. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { openWeights, weightsInMemory } from '@attune/weights/node'
import { ggufOf } from '../gguf-file.mjs'
import { changedBytes, falseLength } from '../mutate-bytes.mjs'
import { changedPart } from '../mutate.mjs'
import { pick } from '../random.mjs'
import { golden } from '../seeds.mjs'

/** @import { WeightsReader } from '@attune/weights' */
/** @import { Input } from '../input.mjs' */
/** @import { Random } from '../random.mjs' */
/** @import { Target } from '../target.mjs' */

/** Reads every tensor. @param {WeightsReader} reader */
function readAll(reader) {
  try {
    for (const name of reader.tensors.keys()) reader.read(name)
  } finally {
    reader.close()
  }
}

/** A small safetensors file with several data types; header and data are separate, so that the header can be mutated as JSON. */
function safetensorsSeed() {
  const widths = { F32: 4, F16: 2, I64: 8, BOOL: 1, BF16: 2, F64: 8 }
  let end = 0
  const entries = Object.entries(widths).map(([dtype, width]) => {
    const start = end
    end += 6 * width
    return [dtype.toLowerCase(), { dtype, shape: [2, 3], data_offsets: [start, end] }]
  })
  return {
    header: JSON.stringify({ __metadata__: { format: 'pt' }, ...Object.fromEntries(entries) }),
    data: Buffer.alloc(end),
  }
}

/** Bytes of a safetensors file from the parts `header` and `data` and an optional false `length`, or from `whole`. @param {Input} input */
function safetensorsOf({ header = '', data = '', length, whole }) {
  if (whole !== undefined) return Buffer.from(whole)
  const text = Buffer.from(header)
  const first = Buffer.alloc(8)
  if (length === undefined) first.writeBigUInt64LE(BigInt(text.length))
  else Buffer.from(length).copy(first)
  return Buffer.concat([first, text, Buffer.from(data)])
}

const SEED = safetensorsSeed()

/** @param {Random} random @returns {Input} */
function changedSafetensors(random) {
  if (random() < 0.3) return { whole: changedBytes(safetensorsOf(SEED), random) }
  const header = changedPart(SEED.header, random)
  if (random() >= 0.05) return { header, data: SEED.data }
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(falseLength(random))
  return { header, data: SEED.data, length }
}

const SINGLE = 'model.safetensors'
const INDEX = 'model.safetensors.index.json'

/** @returns {Target[]} */
function safetensors() {
  const names = Object.keys(JSON.parse(SEED.header)).filter((name) => name !== '__metadata__')
  const index = JSON.stringify({
    metadata: {},
    weight_map: Object.fromEntries(names.map((name) => [name, SINGLE])),
  })
  return [
    {
      name: 'safetensors, in memory',
      valid: [SEED],
      make: changedSafetensors,
      read: (input) => readAll(weightsInMemory(safetensorsOf(input), 'fuzzed')),
    },
    {
      name: 'safetensors, a file',
      valid: [SEED],
      files: true,
      make: changedSafetensors,
      prepare: (input, folder) => writeFileSync(join(folder, SINGLE), safetensorsOf(input)),
      read: (_, folder) => readAll(openWeights(join(folder, SINGLE))),
    },
    {
      name: 'safetensors, several files with an index',
      valid: [{ ...SEED, [INDEX]: index }],
      files: true,
      make: (random) => ({
        ...(random() < 0.8 ? SEED : changedSafetensors(random)),
        [INDEX]: changedPart(index, random),
      }),
      prepare: (input, folder) => writeFileSync(join(folder, SINGLE), safetensorsOf(input)),
      read: (_, folder) => readAll(openWeights(join(folder, INDEX))),
    },
  ]
}

/** A GGUF file as JSON, written by {@link ggufOf}. */
const WRITTEN = {
  metadata: JSON.stringify({
    'general.architecture': 'llama',
    'llama.embedding_length': 8,
    'llama.block_count': 1,
    'llama.attention.head_count': 2,
    'llama.feed_forward_length': 16,
    'llama.context_length': 32,
    'llama.vocab_size': 4,
    'llama.attention.layer_norm_rms_epsilon': 1e-5,
    'tokenizer.ggml.tokens': ['<unk>', 'a', 'b', 'c'],
    'tokenizer.ggml.scores': [0, -1, -2, -3],
    nested: [[1, 2], [3]],
  }),
  tensors: JSON.stringify([
    { name: 'token_embd.weight', shape: [8, 4], type: 0, offset: 0 },
    { name: 'output_norm.weight', shape: [8], type: 0, offset: 128 },
    { name: 'output.weight', shape: [8, 4], type: 1, offset: 160 },
  ]),
  data: Buffer.alloc(224),
}

/** @param {Input} input */
const written = ({ metadata, tensors, data }) => ggufOf(String(metadata), String(tensors), Buffer.from(data ?? ''))

/** @returns {Target[]} */
function gguf() {
  const seeds = ['quantised', 'llama', 'llama3', 'qwen2', 'gemma2'].map((name) =>
    golden(`weights/golden/gguf/${name}.gguf`),
  )
  return [
    {
      name: 'GGUF, in memory',
      valid: seeds.map((bytes) => ({ bytes })),
      make: (random) => ({ bytes: changedBytes(pick(seeds, random), random) }),
      read: ({ bytes }) => readAll(weightsInMemory(Buffer.from(bytes), 'fuzzed')),
    },
    {
      name: 'GGUF, a file, written from JSON',
      valid: [WRITTEN],
      files: true,
      prepare: (input, folder) => writeFileSync(join(folder, 'model.gguf'), written(input)),
      read: (_, folder) => readAll(openWeights(join(folder, 'model.gguf'))),
    },
  ]
}

/** @returns {Target[]} */
export const targets = () => [...safetensors(), ...gguf()]
