import { AttuneError } from '@attune/core'
import { modelTypeOf } from './model-type.js'
import { type ModelFile, type TokenizerFile, tokenizerFileSchema } from './schema.js'

/** The ids of a model's tokens; of equal tokens the last. */
function vocabularyOf(model: TokenizerFile['model']): Map<string, number> {
  const ids = new Map<string, number>()
  if (model.type === 'Unigram') for (const [id, [token]] of model.vocab.entries()) ids.set(token, id)
  else for (const token of Object.keys(model.vocab)) ids.set(token, model.vocab[token]!)
  return ids
}

/** Ids that a vocabulary leaves out at most: so many, and so many more for each of its tokens. */
const [SPARE_IDS, SPARE_IDS_PER_TOKEN] = [10_000, 1]

/** Why the ids of a file cannot be used; `undefined` if they can. */
function idProblem({ model, added_tokens: added }: TokenizerFile, vocabulary: ReadonlyMap<string, number>) {
  const ids = new Set(vocabulary.values())
  if (ids.size !== vocabulary.size) return 'two tokens of its vocabulary have the same id'
  for (const { id } of added) ids.add(id)
  const tokens = model.type === 'Unigram' ? model.vocab.length + added.length : ids.size
  let greatest = -1
  for (const id of ids) greatest = Math.max(greatest, id)
  // A model has a row of its embedding for each id, so that ids are memory.
  return greatest < SPARE_IDS + (1 + SPARE_IDS_PER_TOKEN) * tokens
    ? undefined
    : `its greatest id is ${greatest}, which is far more than its ${tokens} tokens need`
}

/** Why a model cannot be used; `undefined` if it can. */
function modelProblem(model: TokenizerFile['model']): string | undefined {
  if ((model.type === 'WordPiece' || model.type === 'WordLevel') && !Object.hasOwn(model.vocab, model.unk_token))
    return `its vocabulary lacks the unknown token "${cut(model.unk_token)}"`
  if (model.type === 'Unigram' && model.vocab[model.unk_id ?? 0] === undefined)
    return `its vocabulary has no token ${model.unk_id ?? 0}, which is to be the unknown one`
  return undefined
}

/** A text of the file, for errors. */
const cut = (text: string): string => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

/** The fields of a value that what was made of it has, too: those that are known. */
function knownFields(given: unknown, parsed: unknown): unknown {
  if (given === parsed || typeof given !== 'object' || given === null) return given
  const made = parsed as Readonly<Record<string, unknown>>
  if (Array.isArray(given)) return given.map((each, index) => knownFields(each, made[index]))
  const known = Object.entries(given).filter(([key]) => Object.hasOwn(made, key))
  return Object.fromEntries(known.map(([key, value]) => [key, knownFields(value, made[key])]))
}

/** A `tokenizer.json` as it is used, and as it is saved: without the fields that nobody knows. */
export interface ParsedFile {
  readonly file: TokenizerFile
  readonly json: Readonly<Record<string, unknown>>
  /** The ids of the model's tokens. */
  readonly vocabulary: ReadonlyMap<string, number>
}

/**
 * Checks the content of a `tokenizer.json`.
 * @param where what to call it in errors
 * @throws AttuneError `BAD_TOKENIZER` if its model is of another type, or it asks for what is not allowed.
 */
export function parseTokenizerFile(content: unknown, where: string, type: ModelFile['type']): ParsedFile {
  const refuse = (why: string): never => {
    throw new AttuneError(
      'BAD_TOKENIZER',
      `${where} is not a ${type} tokenizer that can be loaded: ${why}`,
      `Use the tokenizer.json of a model of that type, or another tokenizer plugin.`,
    )
  }
  const found = modelTypeOf(content)
  if (found !== type)
    refuse(`at \`model.type\`, it is ${found === undefined ? 'not to be told' : JSON.stringify(found.slice(0, 80))}`)
  const { model: said, ...rest } = content as { readonly model: object }
  const parsed = tokenizerFileSchema.safeParse({ ...rest, model: { ...said, type } })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return refuse(`at \`${cut(issue?.path.join('.') ?? '')}\`, ${cut(issue?.message ?? '')}`)
  }
  const vocabulary = vocabularyOf(parsed.data.model)
  const problem = idProblem(parsed.data, vocabulary) ?? modelProblem(parsed.data.model)
  if (problem !== undefined) refuse(problem)
  return { file: parsed.data, json: knownFields(content, parsed.data) as ParsedFile['json'], vocabulary }
}
