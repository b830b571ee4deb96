import { AttuneError } from '@attune/core'
import { addTokens } from './added-ids.js'
import { modelTypeOf } from './model-type.js'
import { type ModelFile, type TokenizerFile, tokenizerFileSchema } from './schema.js'

/** Ids of a model's tokens; the last one wins for equal tokens. */
function vocabularyOf(model: TokenizerFile['model']): Map<string, number> {
  const ids = new Map<string, number>()
  if (model.type === 'Unigram') for (const [id, [token]] of model.vocab.entries()) ids.set(token, id)
  else for (const token of Object.keys(model.vocab)) ids.set(token, model.vocab[token]!)
  return ids
}

/** Number of entries in a model's vocabulary; equal tokens count. */
export const sizeOf = (model: TokenizerFile['model'], vocabulary: ReadonlyMap<string, number>): number =>
  model.type === 'Unigram' ? model.vocab.length : vocabulary.size

/** Maximum number of unused ids: a constant, plus a number per token. */
const [SPARE_IDS, SPARE_IDS_PER_TOKEN] = [10_000, 1]

/** Problem with the ids of a file; `undefined` if there is none. */
export function idProblem({ model, added_tokens: added }: TokenizerFile, vocabulary: ReadonlyMap<string, number>) {
  const ids = new Set(vocabulary.values())
  if (ids.size !== vocabulary.size) return 'two tokens of its vocabulary have the same id'
  for (const { id } of added) ids.add(id)
  const tokens = model.type === 'Unigram' ? model.vocab.length + added.length : ids.size
  let maximum = -1
  for (const id of ids) maximum = Math.max(maximum, id)
  // A model has an embedding row for each id, so unused ids cost memory.
  return maximum < SPARE_IDS + (1 + SPARE_IDS_PER_TOKEN) * tokens
    ? undefined
    : `its maximum id ${maximum} is far larger than its ${tokens} tokens need`
}

/** Problem with a model; `undefined` if there is none. */
function modelProblem(model: TokenizerFile['model']): string | undefined {
  if ((model.type === 'WordPiece' || model.type === 'WordLevel') && !Object.hasOwn(model.vocab, model.unk_token))
    return `its vocabulary lacks the unknown token "${excerpt(model.unk_token)}"`
  if (model.type === 'Unigram' && model.unk_id != null && model.vocab[model.unk_id] === undefined)
    return `its vocabulary has no token ${model.unk_id}, which should be the unknown token`
  return undefined
}

/** A text of the file, shortened for errors. */
const excerpt = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

/** The value with only the fields that its parsed form has, which are the known ones. */
function knownFields(value: unknown, parsed: unknown): unknown {
  if (value === parsed || typeof value !== 'object' || value === null) return value
  const made = parsed as Readonly<Record<string, unknown>>
  if (Array.isArray(value)) return value.map((each, index) => knownFields(each, made[index]))
  const known = Object.entries(value).filter(([key]) => Object.hasOwn(made, key))
  return Object.fromEntries(known.map(([key, field]) => [key, knownFields(field, made[key])]))
}

/** A `tokenizer.json` as it is used, and as it is saved (without unknown fields). */
export interface ParsedFile {
  readonly file: TokenizerFile
  readonly json: Readonly<Record<string, unknown>>
  /** Ids of the model's tokens. */
  readonly vocabulary: ReadonlyMap<string, number>
}

/**
 * Parses the content of a `tokenizer.json`.
 * @param where name of the file in errors
 * @throws AttuneError `BAD_TOKENIZER` if its model is of another type, or its content is invalid or unsupported
 */
export function parseTokenizerFile(content: unknown, where: string, type: ModelFile['type']): ParsedFile {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${where} is not a ${type} tokenizer that can be loaded: ${why}`,
      `Use the tokenizer.json of a ${type} model, or another tokenizer plugin.`,
    )
  }
  const found = modelTypeOf(content)
  if (found !== type)
    refuse(
      `at \`model.type\`, expected "${type}", got ${found === undefined ? 'no known type' : JSON.stringify(found.slice(0, 80))}`,
    )
  const { model: said, ...rest } = content as { readonly model: object }
  const parsed = tokenizerFileSchema.safeParse({ ...rest, model: { ...said, type } })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`at \`${excerpt(issue?.path.join('.') ?? '')}\`, ${excerpt(issue?.message ?? '')}`)
  }
  const { model, added_tokens: declared } = parsed.data
  const vocabulary = vocabularyOf(model)
  const added = addTokens([], declared, vocabulary, sizeOf(model, vocabulary))
  const file = { ...parsed.data, added_tokens: [...added] }
  const problem = idProblem(parsed.data, vocabulary) ?? idProblem(file, vocabulary) ?? modelProblem(model)
  if (problem !== undefined) refuse(problem)
  const json = knownFields(content, parsed.data) as ParsedFile['json']
  const isSame = added.length === declared.length && added.every(({ id }, index) => id === declared[index]!.id)
  return { file, json: isSame ? json : { ...json, added_tokens: added }, vocabulary }
}
