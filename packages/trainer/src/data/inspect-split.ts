import {
  type Chosen,
  type Example,
  OBJECTIVE,
  type Objective,
  type Scope,
  TOKENIZER,
  type Tokenizer,
  createScope,
  get,
  instantiate,
  isAttuneError,
  provideInstance,
} from '@attune/core'
import { isFromScope } from '../plan/from-scope.js'
import type { Split } from '../setup/splits.js'
import { type FaultFinder, emptyTextFinder, rowRules } from './row-rules.js'
import { withPlace } from './with-place.js'

/** Maximum number of rows that a warning names. */
const NAMED = 3

/** A tokenizer that reads nothing: the objective then only checks the fields of an example. */
const blank = (tokenizer: Tokenizer): Tokenizer =>
  Object.assign(Object.create(tokenizer) as Tokenizer, {
    target: undefined,
    encode: () => ({ ids: [0], typeIds: [0], truncated: false, offsets: [[0, 0]], specialMask: [1] }),
  })

/** A second instance of the objective that does not tokenize; undefined if there cannot be one. */
function blankObjective(scope: Scope, chosen: Chosen): Objective | undefined {
  if (isFromScope(chosen)) return undefined
  const within = createScope(scope)
  provideInstance(within, TOKENIZER, blank(get(scope, TOKENIZER)))
  try {
    return instantiate(within, chosen.plugin, chosen.options) as Objective
  } catch {
    return undefined
  }
}

/**
 * Returns a function that finds the error of an example: an unknown label, a field of another type. It costs no tokenization for an
 * example without an error.
 * @param scope provides the tokenizer, the model, and the objective
 * @param objective the objective's plugin with its fitted options
 */
export function faultFinder(scope: Scope, objective: Chosen): FaultFinder {
  const real = get(scope, OBJECTIVE)
  let quick = blankObjective(scope, objective)
  return (example) => {
    try {
      quick?.encode(example)
      return undefined
    } catch (error) {
      // An objective that needs tokens is not checked in advance.
      if (!isAttuneError(error)) quick = undefined
    }
    try {
      real.encode(example)
    } catch (error) {
      if (isAttuneError(error)) return error
    }
    return undefined
  }
}

/** Describes the empty texts of a split, naming the first rows. */
async function emptyTexts(split: Split, field: string, count: number, first: readonly Example[]): Promise<string> {
  const places = await split.locate(first)
  const named = places.length === 0 ? `in ${split.location}` : places.join(', ') + (count > places.length ? ', …' : '')
  return `${split.name}: ${count} ${count === 1 ? 'example has' : 'examples have'} an empty text in field "${field}": ${named}`
}

/**
 * Reads a split once, before anything is computed on it.
 * @returns warnings: empty texts
 * @throws AttuneError the error of the objective for an example that it cannot use, with the place of its row
 */
export async function inspectSplit(split: Split, objective: Chosen, faultOf: FaultFinder): Promise<readonly string[]> {
  const [rules, emptyField] = [rowRules(objective), emptyTextFinder(objective)]
  const first: Example[] = []
  let [count, field] = [0, '']
  for await (const example of split.examples()) {
    const fault = rules(example) ?? faultOf(example)
    if (fault !== undefined) throw withPlace(fault, (await split.locate([example]))[0] ?? split.location)
    const empty = emptyField(example)
    if (empty === undefined) continue
    if (count++ === 0) field = empty
    if (first.length < NAMED) first.push(example)
  }
  return count === 0 ? [] : [await emptyTexts(split, field, count, first)]
}
