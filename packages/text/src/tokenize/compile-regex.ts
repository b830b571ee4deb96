import type { CharacterSet } from './character-sets.js'
import { type Mode, type Regex, parseRegex } from './regex-syntax.js'

/** One instruction: reads a character of a set, splits (first branch first), or tests the next character. */
export type Step =
  | { readonly type: 'read' | 'sees' | 'seesNot'; readonly set: CharacterSet }
  | { readonly type: 'readAll'; readonly set: CharacterSet; readonly minimum: number; readonly maximum: number }
  | Split
  | { readonly type: 'lineStart' | 'lineEnd' }
  | { readonly type: 'match' }

/** Maximum number of steps of an expression, and of its compiled parts; repeated empty parts count, too. */
const [MOST_STEPS, MOST_PARTS] = [2000, 20_000]

/** A step with two continuations, which are set when their targets are known. */
interface Split {
  readonly type: 'split'
  first: number
  second: number
}

/** State of the compiler. */
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

/** Sets the targets of a split: into the next part or past it, in the order of preference. */
function aim(split: Split, inTo: number, past: number, mode: Mode): void {
  ;[split.first, split.second] = mode === 'lazy' ? [past, inTo] : [inTo, past]
}

function emitRepeat(compiler: Compiler, { of, minimum, maximum, mode }: Extract<Regex, { type: 'repeat' }>): void {
  const { steps } = compiler
  if (mode === 'possessive' && of.type === 'set') {
    steps.push({ type: 'readAll', set: of, minimum, maximum })
    return
  }
  for (let n = 0; n < minimum && !isTooLong(compiler); n++) emit(compiler, of)
  const splits: (readonly [split: Split, inTo: number])[] = []
  for (let n = minimum; n < maximum && !isTooLong(compiler); n++) {
    const at = steps.length
    splits.push([branch(compiler), at + 1])
    emit(compiler, of)
    if (maximum !== Infinity) continue
    const back = branch(compiler)
    back.first = back.second = at
    break
  }
  for (const [split, inTo] of splits) aim(split, inTo, steps.length, mode)
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

/** A regular expression as a list of steps. */
export interface Compiled {
  readonly steps: readonly Step[]
}

/**
 * Compiles a regular expression of a tokenizer.json with Oniguruma semantics.
 * @returns the reason if it is not supported
 */
export function compileRegex(source: string): Compiled | { readonly refused: string } {
  const regex = parseRegex(source)
  if ('refused' in regex) return regex
  const compiler: Compiler = { steps: [], parts: 0 }
  emit(compiler, regex)
  compiler.steps.push({ type: 'match' })
  return isTooLong(compiler) ? { refused: 'it is too long' } : compiler
}
