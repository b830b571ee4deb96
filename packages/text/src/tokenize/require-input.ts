import { AttuneError, excerpt } from '@attune/core'

/** @param where the tokenizer, for the error @throws AttuneError `BAD_ARGUMENT` if a value from a program is not a text */
export function requireText(value: unknown, where: string): void {
  if (typeof value === 'string') return
  throw new AttuneError('BAD_ARGUMENT', `${where}: expected a text, got ${excerpt(value, 120)}`, 'Pass a string.')
}

/** @param where the tokenizer, for the error @throws AttuneError `BAD_ARGUMENT` if a value from a program is not a list of token ids */
export function requireIds(value: unknown, where: string): void {
  const isList = Array.isArray(value) || (ArrayBuffer.isView(value) && 'length' in value)
  if (isList && Array.prototype.every.call(value, Number.isInteger)) return
  throw new AttuneError(
    'BAD_ARGUMENT',
    `${where}: expected a list of token ids, got ${excerpt(value, 120)}`,
    'Pass the `ids` of an encoding.',
  )
}
