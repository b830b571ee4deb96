import { AttuneError } from '@attune/core'
import { quoted } from '../safetensors-header.js'
import type { Content } from './content.js'
import type { GgufValue } from './metadata.js'

/** What each wavelength is multiplied by: in all texts, in short ones, in long ones. */
const [ALL, SHORT, LONG] = ['rope_freqs.weight', 'rope_factors_short.weight', 'rope_factors_long.weight'] as const

/** The tensors of a file that say how positions turn queries and keys. */
export const ROTARY_TENSORS: readonly string[] = [ALL, SHORT, LONG]

type Read = (key: string) => GgufValue | undefined
type Settings = Readonly<Record<string, unknown>>

const unsupported = (where: string, what: string): AttuneError =>
  new AttuneError(
    'UNSUPPORTED_POSITIONS',
    `${where}: ${what}, and Attune would place its tokens wrongly`,
    'Load the safetensors checkpoint that the file was made of, if its model type is known here.',
  )

/** The width of a head, where the file says enough to know it. */
function headSizeOf({ head_dim: said, hidden_size: width, num_attention_heads: heads }: Settings): unknown {
  if (said !== undefined) return said
  return typeof width === 'number' && typeof heads === 'number' ? width / heads : undefined
}

/** Factors of wavelengths that are read where nothing says how many there must be. */
const MOST_FACTORS = 65_536

/** Factors of wavelengths, one for each pair of a head's numbers. */
function factorsIn({ tensors, read, refuse }: Content, name: string, headSize: unknown): number[] | undefined {
  const stored = tensors.get(name)
  if (stored === undefined) return undefined
  const [count = 0, ...more] = stored.shape
  if (more.length > 0 || count > MOST_FACTORS || (typeof headSize === 'number' && count !== headSize / 2))
    return refuse(`its ${name} has shape [${stored.shape.join(', ')}], and heads have ${String(headSize)} numbers`)
  const values = [...read(name).values]
  return values.every((x) => Number.isFinite(x) && x > 0)
    ? values
    : refuse(`its ${name} has factors that are not positive`)
}

/** How positions beyond those of training are reached, as the metadata have it. */
function scalingIn(read: Read): Record<string, unknown> {
  const type = read('rope.scaling.type') ?? 'linear'
  const factor = read('rope.scaling.factor') ?? read('rope.scale_linear')
  if (type === 'none' || (type === 'linear' && (factor === undefined || factor === 0 || factor === 1))) return {}
  const settings = {
    factor,
    original_max_position_embeddings: read('rope.scaling.original_context_length'),
    attention_factor: read('rope.scaling.attn_factor'),
    beta_fast: read('rope.scaling.yarn_beta_fast'),
    beta_slow: read('rope.scaling.yarn_beta_slow'),
  }
  const said = Object.entries(settings).filter(([, value]) => value !== undefined && value !== 0)
  return { rope_type: type, ...Object.fromEntries(said) }
}

/** Metadata that change positions and that nothing here reads; 0 and 1 leave them as they are. */
const UNREAD = ['rope.scaling.alpha', 'rope.scaling.yarn_log_multiplier', 'rope.scaling.yarn_ext_factor'] as const

/** Refuses what would make positions other than the program that the file was written for has them. */
function requireKnown(read: Read, headSize: unknown, where: string): void {
  const turned = read('rope.dimension_count')
  if (turned !== undefined && headSize !== undefined && turned !== headSize)
    throw unsupported(
      where,
      `positions turn ${quoted(String(turned))} of the ${quoted(String(headSize))} numbers of a head`,
    )
  for (const key of UNREAD) {
    const value = read(key)
    if (value !== undefined && value !== 0 && value !== 1) throw unsupported(where, `it sets ${key}`)
  }
}

/**
 * The base of the wavelengths and how they are stretched. Llama 3.1 and later have a factor for each wavelength in a tensor;
 * in a `config.json` that is rotary positions of type `longrope` with the same factors for all texts.
 * @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_POSITIONS`
 */
export function rotarySettings(read: Read, settings: Settings, content: Content): Record<string, unknown> {
  const headSize = headSizeOf(settings)
  requireKnown(read, headSize, content.where)
  const base = settings['rope_theta'] === undefined ? { rope_theta: 10_000 } : {}
  const scaling = scalingIn(read)
  const [all, short, long] = [ALL, SHORT, LONG].map((name) => factorsIn(content, name, headSize))
  const original = scaling['original_max_position_embeddings'] ?? settings['max_position_embeddings']
  const factors = (short_factor: number[], long_factor: number[], attention_factor: unknown) => ({
    ...base,
    rope_scaling: {
      rope_type: 'longrope',
      short_factor,
      long_factor,
      attention_factor,
      original_max_position_embeddings: original,
    },
  })
  const { rope_type: type } = scaling
  if (all !== undefined) {
    if (type !== undefined)
      throw unsupported(content.where, `it has ${ALL} and scaling of type ${quoted(String(type))}`)
    return factors(all, all, 1)
  }
  if (type === 'longrope' && short !== undefined && long !== undefined)
    return factors(short, long, scaling['attention_factor'] ?? 1)
  if (short !== undefined || long !== undefined || (type !== undefined && type !== 'linear' && type !== 'yarn'))
    throw unsupported(
      content.where,
      `it has scaling of type ${quoted(String(type ?? 'linear'))} and ${(short ?? long) ? '' : 'no '}factors`,
    )
  return type === undefined ? base : { ...base, rope_scaling: scaling }
}
