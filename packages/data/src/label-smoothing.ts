import { z } from 'zod'

/** The option of an objective whose loss expects less than certainty; `classes` are what it tells apart, in its description. */
export const labelSmoothing = (classes: string) =>
  z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe(`Share of the probability that is spread over all ${classes} in what the loss expects`)
