import { z } from 'zod'

const factor = () => z.number().positive().optional()
const factors = () => z.array(z.number().positive()).max(10_000).optional()

/**
 * Keys of `rope_parameters`, or of the older `rope_scaling`, in a Hugging Face `config.json`. Other keys belong to
 * kinds of RoPE scaling that are rejected.
 */
export const rotaryOptions = z.looseObject({
  rope_type: z.string().optional(),
  rope_theta: factor(),
  factor: factor(),
  low_freq_factor: factor(),
  high_freq_factor: factor(),
  original_max_position_embeddings: z.int().positive().optional(),
  beta_fast: factor(),
  beta_slow: factor(),
  mscale: z.number().nonnegative().optional(),
  mscale_all_dim: z.number().nonnegative().optional(),
  attention_factor: factor(),
  truncate: z.boolean().optional(),
  short_factor: factors(),
  long_factor: factors(),
  partial_rotary_factor: z.number().optional(),
})

/** RoPE options of an older file, in which `rope_type` was called `type`. */
export const renamedRotaryOptions = (
  scaling: z.output<typeof rotaryOptions> | undefined,
): z.output<typeof rotaryOptions> | undefined =>
  typeof scaling?.['type'] === 'string' ? { rope_type: scaling['type'], ...scaling } : scaling
