import { type Arrangement, lessOne, transposed, unleaved } from './arrange.js'
import type { Content } from './content.js'
import { FAMILIES, type Family } from './families.js'
import type { GgufValue } from './metadata.js'
import { ROTARY_TENSORS, rotarySettings } from './rotary-settings.js'

/** A tensor's place in a checkpoint of the Hugging Face library. */
interface Placed {
  readonly name: string
  /** Where it differs from the one in the file. */
  readonly shape?: readonly number[]
  readonly arrange?: Arrangement
}

/** What a GGUF file of a known architecture is as a checkpoint of the Hugging Face library. */
export interface Architecture {
  readonly config: Readonly<Record<string, unknown>>
  /** The place of the tensor of that name and shape; nothing if the library has none for it. */
  place(name: string, shape: readonly number[]): Placed | undefined
  /** The tensors that `config` has instead. */
  readonly settings: ReadonlySet<string>
}

const TOKENS = { bos: 'bos_token_id', eos: 'eos_token_id', padding: 'pad_token_id' } as const

/** The entry of a record under a name that a file gave. */
const entry = (record: Readonly<Record<string, string>>, name: string): string | undefined =>
  Object.hasOwn(record, name) ? record[name] : undefined

/** `blk.3.attn_q.weight` as `model.layers.3.self_attn.q_proj.weight`. */
function rename(family: Family, name: string): string | undefined {
  const [, layer, part = '', kind] = /^(?:blk\.(\d{1,6})\.)?([a-z0-9_]+)\.(weight|bias)$/.exec(name) ?? []
  const theirs = entry(layer === undefined ? family.outer : family.inner, part)
  if (theirs === undefined) return undefined
  return layer === undefined ? `${theirs}.${kind}` : `${family.layer}.${layer}.${theirs}.${kind}`
}

/** What scores of Gemma 2 and 3 are divided by the root of: the files do not say, and only the largest, by its layers, differs. */
function queryScale({ modelType }: Family, settings: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { num_hidden_layers: layers, hidden_size: width, num_attention_heads: heads, head_dim: headSize } = settings
  if (modelType !== 'gemma2' && modelType !== 'gemma3_text') return {}
  const largest = layers === (modelType === 'gemma2' ? 46 : 62)
  const scale = largest ? Number(width) / Number(heads) : headSize
  return scale === undefined ? {} : { query_pre_attn_scalar: scale }
}

function configOf(name: string, family: Family, content: Content): Record<string, unknown> {
  const { metadata, tensors } = content
  const read = (key: string): GgufValue | undefined => metadata.get(`${name}.${key}`)
  const known = Object.entries(family.settings).flatMap(([key, theirs]) => {
    const value = read(key)
    return value === undefined ? [] : [[theirs, value] as const]
  })
  const tokens = Object.entries(TOKENS).flatMap(([key, theirs]) => {
    const id = metadata.get(`tokenizer.ggml.${key}_token_id`)
    return typeof id === 'number' ? [[theirs, id] as const] : []
  })
  const headSize = name === 'llama' ? read('rope.dimension_count') : undefined
  const vocabulary = tensors.get('token_embd.weight')?.shape[0]
  const settings = { ...(headSize === undefined ? {} : { head_dim: headSize }), ...Object.fromEntries(known) }
  return {
    model_type: family.modelType,
    ...settings,
    ...(vocabulary === undefined ? {} : { vocab_size: vocabulary }),
    tie_word_embeddings: !tensors.has('output.weight'),
    ...queryScale(family, settings),
    ...(family.rotary ? rotarySettings(read, settings, content) : {}),
    ...Object.fromEntries(tokens),
  }
}

/** How the numbers of a llama's queries and keys are put in order. */
function unleave(part: string, rows: number, config: Record<string, unknown>, refuse: Content['refuse']): Arrangement {
  const queries = config['num_attention_heads']
  const heads = part === 'q' ? queries : (config['num_key_value_heads'] ?? queries)
  const even = Number.isSafeInteger(heads) && (heads as number) > 0 && rows > 0 && rows % (2 * (heads as number)) === 0
  return even
    ? unleaved(heads as number)
    : refuse(`its attn_${part} has ${rows} rows, and its metadata give no heads that fit`)
}

/**
 * What the file is as a checkpoint of the Hugging Face library, if its architecture is one of those that are known.
 * @throws AttuneError `BAD_GGUF`, and `UNSUPPORTED_POSITIONS` where positions work in a way that Attune does not know
 */
export function architectureOf(content: Content): Architecture | undefined {
  const name = content.metadata.get('general.architecture')
  if (typeof name !== 'string' || !Object.hasOwn(FAMILIES, name)) return undefined
  const family = FAMILIES[name]!
  const config = configOf(name, family, content)
  return {
    config,
    settings: new Set(family.rotary ? ROTARY_TENSORS : []),
    place(own, shape) {
      const theirs = rename(family, own)
      if (theirs === undefined) return undefined
      const [, part] = /^blk\.\d+\.attn_([qk])\./.exec(own) ?? []
      if (family.interleaved === true && part !== undefined)
        return { name: theirs, arrange: unleave(part, shape[0] ?? 0, config, content.refuse) }
      if (family.normsOverOne === true && own.endsWith('_norm.weight')) return { name: theirs, arrange: lessOne }
      if (
        family.transposed === true &&
        shape.length === 2 &&
        /\.(attn_qkv|attn_output|ffn_up|ffn_down)\.weight$/.test(own)
      )
        return { name: theirs, shape: [...shape].reverse(), arrange: transposed }
      return { name: theirs }
    },
  }
}
