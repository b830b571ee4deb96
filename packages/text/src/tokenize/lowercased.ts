import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isRecord } from '@attune/core'
import { readJsonFile } from './regular-file.js'
import { stepsIn } from './steps-in.js'

const MAXIMUM_BYTES = 1_000_000

/** Settings of a sentence-transformers model, which may lowercase texts before its tokenizer. */
const SETTINGS = 'sentence_bert_config.json'

/** True if the sentence-transformers settings in a folder lowercase texts. */
export function lowercasesTexts(folder: string, refuse: (path: string, why: string) => never): boolean {
  const path = join(folder, SETTINGS)
  if (!existsSync(path)) return false
  const settings = readJsonFile(path, MAXIMUM_BYTES, (why) => refuse(path, why))
  return isRecord(settings) && settings['do_lower_case'] === true
}

/** Puts lowercasing in front of the other normalization steps of a tokenizer.json, as sentence-transformers does, unless it is one of them. */
export function lowercased(json: unknown): unknown {
  if (!isRecord(json)) return json
  const steps = stepsIn<{ type: string }>(isRecord(json['normalizer']) ? json['normalizer'] : undefined)
  if (steps.some(({ type }) => type === 'Lowercase')) return json
  return { ...json, normalizer: { type: 'Sequence', normalizers: [{ type: 'Lowercase' }, ...steps] } }
}
