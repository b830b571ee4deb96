import { type Tokenizer, isRecord } from '@attune/core'

/** Special tokens that transformers passes to chat templates. */
const NAMES = ['bos_token', 'eos_token', 'unk_token', 'sep_token', 'pad_token', 'cls_token', 'mask_token']

/**
 * Special tokens as variables of a chat template, as in transformers: those that tokenizer_config.json names. The others are undefined, not
 * empty.
 */
export function templateVariables(tokenizer: Pick<Tokenizer, 'files'>): Readonly<Record<string, string>> {
  const config = tokenizer.files()['tokenizer_config.json']
  if (!isRecord(config)) return {}
  const named = NAMES.map((name): [string, unknown] => {
    const value = config[name]
    return [name, isRecord(value) ? value['content'] : value]
  })
  return Object.fromEntries(named.filter((entry): entry is [string, string] => typeof entry[1] === 'string'))
}
