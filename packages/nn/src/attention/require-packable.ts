import { AttuneError, type Model } from '@attune/core'

/**
 * Requires that the model supports packing several texts into rows of `length` tokens.
 * @param title name of the packing plugin in messages
 * @throws AttuneError `CANNOT_PACK` if attention would mix the texts, `BAD_OPTIONS` if rows are longer than the model
 * allows
 */
export function requirePackable({ config, maximumLength, unpackable }: Model, length: number, title: string): void {
  const type = String(config['model_type'])
  if (unpackable !== undefined)
    throw new AttuneError(
      'CANNOT_PACK',
      `${title}: models of type "${type}" cannot pack several texts into one row: ${unpackable}`,
      'Remove `packTo`, or use a model whose attention masks packed texts from each other.',
    )
  if (length > maximumLength)
    throw new AttuneError(
      'BAD_OPTIONS',
      `${title}: expected \`packTo\` of at most ${maximumLength} tokens, the maximum length of the model, got ${length}`,
      `Set \`packTo: ${maximumLength}\` or less.`,
    )
}
