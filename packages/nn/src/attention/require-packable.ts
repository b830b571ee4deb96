import { AttuneError, type Model } from '@attune/core'

/**
 * Refuses to pack texts into rows of `length` tokens for a model that would mix them up, or that takes no such rows.
 * @param title the words by which messages call the plugin that packs
 * @throws AttuneError `CANNOT_PACK`, `BAD_OPTIONS`
 */
export function requirePackable({ config, maximumLength, unpackable }: Model, length: number, title: string): void {
  const type = String(config['model_type'])
  if (unpackable !== undefined)
    throw new AttuneError(
      'CANNOT_PACK',
      `${title}: models of type "${type}" cannot read several texts in one row: ${unpackable}`,
      'Leave `packTo` out, or use a model with attention that keeps texts apart.',
    )
  if (length > maximumLength)
    throw new AttuneError(
      'BAD_OPTIONS',
      `${title}: \`packTo\` is ${length}, and the model takes rows of at most ${maximumLength} tokens`,
      `Write \`packTo: ${maximumLength}\`, or less.`,
    )
}
