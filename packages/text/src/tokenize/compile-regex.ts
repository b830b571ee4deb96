import type { CharacterSet } from './character-sets.js'
import { type How, type Regex, parseRegex } from './regex-syntax.js'

/** One step: read a character of a set, go on in two ways (the first one first), or look at what stands there. */
export type Step =
  | { readonly type: 'read' | 'sees' | 'seesNot'; readonly set: CharacterSet }
  | { readonly type: 'readAll'; readonly set: CharacterSet; readonly least: number; readonly most: number }
  | Split
  | { readonly type: 'lineStart' | 'lineEnd' }
  | { readonly type: 'match' }

/** Steps of an expression at most, and parts of it that are compiled: those of no steps may be repeated, too. */
const [MOST_STEPS, MOST_PARTS] = [2000, 20_000]

/** A step that goes on in two ways, which are set when it is known where they lead. */
interface Split {
  readonly type: 'split'
  first: number
  second: number
}

/** The steps of an expression that is being compiled. */
interface Compiler {
  readonly steps: Step[]
  parts: number
}

const isTooLong = ({ steps, parts }: Compiler): boolean => steps.length > MOST_STEPS || parts > MOST_PARTS

function branch({ steps }: Compiler): Split {
  const split: Split = { type: 'split', first: 0, second: 0 }
  steps.push(split)
  return split
}

/** Sets where a split leads: into what comes next, or past it, whichever is to be tried first. */
function aim(split: Split, inTo: number, past: number, how: How): void {
  ;[split.first, split.second] = how === 'lazy' ? [past, inTo] : [inTo, past]
}

function emitRepeat(compiler: Compiler, { of, least, most, how }: Extract<Regex, { type: 'repeat' }>): void {
  const { steps } = compiler
  if (how === 'possessive' && of.type === 'set') {
    steps.push({ type: 'readAll', set: of, least, most })
    return
  }
  for (let n = 0; n < least && !isTooLong(compiler); n++) emit(compiler, of)
  const splits: (readonly [split: Split, inTo: number])[] = []
  for (let n = least; n < most && !isTooLong(compiler); n++) {
    const at = steps.length
    splits.push([branch(compiler), at + 1])
    emit(compiler, of)
    if (most !== Infinity) continue
    const back = branch(compiler)
    back.first = back.second = at
    break
  }
  for (const [split, inTo] of splits) aim(split, inTo, steps.length, how)
}

function emitChoice(compiler: Compiler, parts: readonly Regex[]): void {
  const { steps } = compiler
  const ends: Split[] = []
  for (const part of parts.slice(0, -1)) {
    const split = branch(compiler)
    const inTo = steps.length
    emit(compiler, part)
    ends.push(branch(compiler))
    aim(split, inTo, steps.length, 'greedy')
  }
  emit(compiler, parts.at(-1)!)
  for (const end of ends) end.first = end.second = steps.length
}

function emit(compiler: Compiler, part: Regex): void {
  compiler.parts++
  if (isTooLong(compiler)) return
  switch (part.type) {
    case 'set':
      compiler.steps.push({ type: 'read', set: part })
      return
    case 'look':
      compiler.steps.push({ type: part.negated ? 'seesNot' : 'sees', set: part.at })
      return
    case 'sequence':
      for (const each of part.parts) emit(compiler, each)
      return
    case 'choice':
      emitChoice(compiler, part.parts)
      return
    case 'repeat':
      emitRepeat(compiler, part)
      return
    default:
      compiler.steps.push({ type: part.type })
  }
}

/** A regular expression as steps in a row. */
export interface Compiled {
  readonly steps: readonly Step[]
}

/**
 * Compiles a regular expression of a tokenizer.json, with Oniguruma's meaning.
 * @returns why not, if it is not understood
 */
export function compileRegex(source: string): Compiled | { readonly refused: string } {
  const regex = parseRegex(source)
  if ('refused' in regex) return regex
  const compiler: Compiler = { steps: [], parts: 0 }
  emit(compiler, regex)
  compiler.steps.push({ type: 'match' })
  return isTooLong(compiler) ? { refused: 'it is too long' } : compiler
}
