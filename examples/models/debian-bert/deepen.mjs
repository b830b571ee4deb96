// Adds a layer to a BERT. It is initialized to add the mean of the text's hidden states to each hidden state: uniform attention over all
// tokens, identity value and output projections, and a feed-forward block with zero output. The pooled output, which is computed from
// the first token's hidden state, then represents the whole text. Training continues from there.
//   node examples/models/debian-bert/deepen.mjs runs/debian-bert/model runs/debian-bert-deeper
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { decodeSafetensors, encodeSafetensors } from '@attune/weights'

const [from, to] = process.argv.slice(2)
if (from === undefined || to === undefined) throw new Error('Usage: node deepen.mjs FROM TO (two model folders)')

const config = JSON.parse(readFileSync(join(from, 'config.json'), 'utf8'))
const { tensors } = decodeSafetensors(readFileSync(join(from, 'model.safetensors')), from)
const { num_hidden_layers: layers, hidden_size: hidden, architectures: _, ...others } = config

const filled = (shape, at) => {
  const size = shape.reduce((product, n) => product * n, 1)
  return { shape, dtype: 'float32', values: Float32Array.from({ length: size }, (_, i) => at(i)) }
}
const zeros = (shape) => filled(shape, () => 0)
const unit = (shape) => filled(shape, (i) => (i % (hidden + 1) === 0 ? 1 : 0))
const ones = (shape) => filled(shape, () => 1)

/** Initial parameters of the new layer; the others are copied from the layer below. */
const initializers = {
  'attention.self.query.weight': zeros,
  'attention.self.query.bias': zeros,
  'attention.self.value.weight': unit,
  'attention.self.value.bias': zeros,
  'attention.output.dense.weight': unit,
  'attention.output.dense.bias': zeros,
  'attention.output.LayerNorm.weight': ones,
  'attention.output.LayerNorm.bias': zeros,
  'output.dense.weight': zeros,
  'output.dense.bias': zeros,
  'output.LayerNorm.weight': ones,
  'output.LayerNorm.bias': zeros,
}
const last = `bert.encoder.layer.${layers - 1}.`
const added = Object.entries(tensors)
  .filter(([name]) => name.startsWith(last))
  .map(([name, tensor]) => {
    const part = name.slice(last.length)
    return [`bert.encoder.layer.${layers}.${part}`, initializers[part]?.(tensor.shape) ?? tensor]
  })
const encoder = Object.entries(tensors).filter(([name]) => name.startsWith('bert.'))

mkdirSync(to, { recursive: true })
for (const name of ['tokenizer.json', 'tokenizer_config.json']) cpSync(join(from, name), join(to, name))
const all = Object.fromEntries([...encoder, ...added])
writeFileSync(join(to, 'model.safetensors'), encodeSafetensors(all, { format: 'pt' }, 'float16'))
const deeper = { architectures: ['BertModel'], ...others, hidden_size: hidden, num_hidden_layers: layers + 1 }
writeFileSync(join(to, 'config.json'), `${JSON.stringify(deeper, undefined, 2)}\n`)
console.log(`${to}: ${layers + 1} layers`)
