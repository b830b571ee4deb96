import { copyFileSync, existsSync } from 'node:fs'
import { basename, join, resolve } from 'node:path'
import { AttuneError, isRecord } from '@attune/core'
import { readJsonObject, writeFileAtomically } from '@attune/files'
import { endTokens } from '@attune/generate'
import type { Pretrained } from '@attune/trainer/node'

const [CONFIG, GENERATION, TOKENIZER] = ['config.json', 'generation_config.json', 'tokenizer_config.json']

/** Objectives of models that generate text. */
const WRITERS = ['causal-language-modeling', 'sequence-to-sequence']

/** Files of a model that are copied if it has them. */
const COPIED = [
  CONFIG,
  GENERATION,
  'tokenizer.json',
  TOKENIZER,
  'special_tokens_map.json',
  'added_tokens.json',
  'chat_template.jinja',
]

/** Size limit of a JSON file. */
const MAXIMUM_BYTES = 10_000_000

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`

/** Generation settings of a model without any: its special tokens. */
function generationSettings({ model, tokenizer, objective }: Pretrained): Readonly<Record<string, unknown>> {
  const config: Readonly<Record<string, unknown>> = { ...model.config, ...objective.config }
  const names = ['bos_token_id', 'pad_token_id', 'decoder_start_token_id']
  const ends = [...endTokens({ model, tokenizer, defaults: undefined })]
  return {
    ...Object.fromEntries(names.filter((name) => typeof config[name] === 'number').map((name) => [name, config[name]])),
    ...(ends.length === 0 ? {} : { eos_token_id: ends.length === 1 ? ends[0] : ends }),
  }
}

/** Content of a written JSON file. @throws AttuneError `BAD_MODEL_FOLDER` if it is not an object */
function readWritten(file: string): Readonly<Record<string, unknown>> {
  const refuse = (why: string): AttuneError =>
    new AttuneError('BAD_MODEL_FOLDER', `${file} cannot be used: ${why}`, 'Download or save the model again.')
  return readJsonObject(file, MAXIMUM_BYTES, refuse) ?? {}
}

/** Maximum number of tokens of a text: that of the training, or of the model if it generates text. */
const maximumLength = ({ model, objective, task }: Pretrained): number =>
  WRITERS.includes(task) ? model.maximumLength : Math.min(objective.maximumLength, model.maximumLength)

/** `tokenizer_config.json` with the length to which transformers.js truncates a text; undefined if it has one. */
function withLength(file: string, loaded: Pretrained): string | undefined {
  const config = readWritten(file)
  const [given, own] = [config['model_max_length'], maximumLength(loaded)]
  return typeof given === 'number' && given <= own ? undefined : json({ ...config, model_max_length: own })
}

/** Files that a model's folder may lack, by name. */
function madeFiles(loaded: Pretrained): Readonly<Record<string, unknown>> {
  return {
    [CONFIG]: { ...loaded.model.config, ...loaded.objective.config },
    ...loaded.tokenizer.files(),
    ...(WRITERS.includes(loaded.task) ? { [GENERATION]: generationSettings(loaded) } : {}),
  }
}

/** `config.json` with the setting that makes transformers.js read the files of large weights. */
function withExternalData(file: string, graphs: readonly string[]): string | undefined {
  const data = graphs.filter((path) => path.endsWith('.onnx_data')).map((path) => basename(path, '_data'))
  if (data.length === 0) return undefined
  const config = readWritten(file)
  const own = config['transformers.js_config']
  const use = Object.fromEntries(data.map((name) => [name, true]))
  const settings = { ...(isRecord(own) ? own : {}), use_external_data_format: use }
  return json({ ...config, 'transformers.js_config': settings })
}

/**
 * Writes the files that transformers.js reads next to the graphs: configuration, tokenizer and generation settings. Those of the
 * model are copied, missing ones are created, and the maximum length of a text is added.
 * @param graphs paths of the graphs' files
 * @returns names of the written files
 */
export async function writeCompanions(
  loaded: Pretrained,
  source: string,
  folder: string,
  graphs: readonly string[],
): Promise<readonly string[]> {
  const written: string[] = []
  const made = madeFiles(loaded)
  for (const name of new Set([...COPIED, ...Object.keys(made)])) {
    const [from, to] = [join(source, name), join(folder, name)]
    if (existsSync(from) && resolve(from) === resolve(to)) continue
    if (existsSync(from)) copyFileSync(from, to)
    else if (made[name] !== undefined) await writeFileAtomically(to, json(made[name]))
    else continue
    written.push(name)
  }
  const changes = {
    [CONFIG]: withExternalData(join(folder, CONFIG), graphs),
    [TOKENIZER]: withLength(join(folder, TOKENIZER), loaded),
  }
  for (const [name, content] of Object.entries(changes))
    if (content !== undefined) await writeFileAtomically(join(folder, name), content)
  return written
}
