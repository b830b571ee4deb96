import { AttuneError } from '@attune/core'
import { quoted } from '../safetensors-header.js'
import type { Content } from './content.js'
import type { GgufValue } from './metadata.js'

/** Tensors of wavelength factors: for all, short and long sequences. */
const [ALL, SHORT, LONG] = ['rope_freqs.weight', 'rope_factors_short.weight', 'rope_factors_long.weight'] as const

/** Names of the tensors with rotary position settings. */
export const ROTARY_TENSORS: readonly string[] = [ALL, SHORT, LONG]

type Read = (key: string) => GgufValue | undefined
type Settings = Readonly<Record<string, unknown>>

const unsupported = (where: string, what: string): AttuneError =>
  new AttuneError(
    'UNSUPPORTED_POSITIONS',
    `${where}: unsupported rotary positions: ${what}`,
    'Load the safetensors checkpoint that the file was converted from, if Attune supports its model type.',
  )

/** Returns the head size, if the settings determine it. */
function headSizeOf({ head_dim: stated, hidden_size: width, num_attention_heads: heads }: Settings): unknown {
  if (stated !== undefined) return stated
  return typeof width === 'number' && typeof heads === 'number' ? width / heads : undefined
}

/** Maximum number of factors if the head size is unknown. */
const MAXIMUM_FACTORS = 65_536

/** Returns the wavelength factors, one for each pair of head dimensions. */
function factorsIn({ tensors, read, reject }: Content, name: string, headSize: unknown): number[] | undefined {
  const stored = tensors.get(name)
  if (stored === undefined) return undefined
  const [count = 0, ...more] = stored.shape
  if (more.length > 0 || count > MAXIMUM_FACTORS || (typeof headSize === 'number' && count !== headSize / 2))
    return reject(`its ${name} has shape [${stored.shape.join(', ')}], but the head size is ${String(headSize)}`)
  const values = [...read(name).values]
  return values.every((x) => Number.isFinite(x) && x > 0)
    ? values
    : reject(`its ${name} has factors that are not positive`)
}

/** Returns the RoPE scaling of the metadata. */
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
  const stated = Object.entries(settings).filter(([, value]) => value !== undefined && value !== 0)
  return { rope_type: type, ...Object.fromEntries(stated) }
}

/** Unsupported metadata that change positions; 0 and 1 have no effect. */
const UNSUPPORTED = ['rope.scaling.alpha', 'rope.scaling.yarn_log_multiplier', 'rope.scaling.yarn_ext_factor'] as const

/** Throws for settings that would change positions in an unsupported way. */
function requireSupported(read: Read, headSize: unknown, where: string): void {
  const rotated = read('rope.dimension_count')
  if (rotated !== undefined && headSize !== undefined && rotated !== headSize)
    throw unsupported(
      where,
      `it rotates ${quoted(String(rotated))} of the ${quoted(String(headSize))} dimensions of a head`,
    )
  for (const key of UNSUPPORTED) {
    const value = read(key)
    if (value !== undefined && value !== 0 && value !== 1) throw unsupported(where, `it sets ${key}`)
  }
}

/**
 * Returns the RoPE base and scaling for `config.json`. Llama 3.1 and later store a factor per wavelength in a tensor, which is
 * equivalent to RoPE of type `longrope` with the same factors for all lengths.
 * @throws AttuneError `BAD_GGUF`, `UNSUPPORTED_POSITIONS`
 */
export function rotarySettings(read: Read, settings: Settings, content: Content): Record<string, unknown> {
  const headSize = headSizeOf(settings)
  requireSupported(read, headSize, content.where)
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
      throw unsupported(content.where, `it has both ${ALL} and scaling of type ${quoted(String(type))}`)
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
