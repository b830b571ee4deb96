import type { CharacterSet, CharacterSets, IsIn } from './character-sets.js'
import type { Expression } from './expression.js'
import { type How, type Regex, parseRegex } from './regex-syntax.js'
import type { Work } from './work.js'

/** One step: read a character of a set, go on in two ways (the first one first), or look at what stands there. */
type Step =
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

/** What a step does: reads a character, sees or does not see one, reads a run, splits, stands at a line's start or end. */
const [READ, SEES, SEES_NOT, READ_ALL, SPLIT, LINE_START, LINE_END, MATCH] = [0, 1, 2, 3, 4, 5, 6, 7]
const CODES: Readonly<Record<Step['type'], number>> = {
  read: READ,
  sees: SEES,
  seesNot: SEES_NOT,
  readAll: READ_ALL,
  split: SPLIT,
  lineStart: LINE_START,
  lineEnd: LINE_END,
  match: MATCH,
}

/** The steps in columns. Of a split `first` and `second` are where it leads, of a run the least and the most characters. */
interface Program {
  readonly codes: Uint8Array
  readonly first: Float64Array
  readonly second: Float64Array
  readonly sets: readonly IsIn[]
}

function programOf({ steps }: Compiled, sets: CharacterSets): Program {
  const bounds = steps.map((step): readonly [number, number] =>
    step.type === 'split' ? [step.first, step.second] : step.type === 'readAll' ? [step.least, step.most] : [0, 0],
  )
  return {
    codes: Uint8Array.from(steps, ({ type }) => CODES[type]),
    first: Float64Array.from(bounds, ([first]) => first),
    second: Float64Array.from(bounds, ([, second]) => second),
    sets: steps.map((step) => ('set' in step ? sets(step.set) : () => false)),
  }
}

const widthOf = (code: number): number => (code > 0xffff ? 2 : 1)

/** Finds where a possessive repetition ends that begins at a position; −1 if it cannot be. The last end is remembered. */
function runReader({ first, second, sets }: Program, text: string, work: Work) {
  const runs = new Map<number, readonly [from: number, to: number]>()
  return (step: number, from: number): number => {
    const [least, most, isIn] = [first[step]!, second[step]!, sets[step]!]
    const known = runs.get(step)
    if (most === Infinity && known !== undefined && from > known[0] && from < known[1]) return known[1]
    let [end, count] = [from, 0]
    for (; end < text.length && count < most; count++) {
      const code = text.codePointAt(end)!
      if (!isIn(code)) break
      end += widthOf(code)
    }
    work.spend(STEPS_PER_VISIT * count)
    runs.set(step, [from, end])
    return count < least ? -1 : end
  }
}

/** Steps that a visit of a step at a position takes: some 20 ns. */
const STEPS_PER_VISIT = 4
/** Visits that are counted at once. */
const VISITS = 4096

/** Finds the end of the match that begins at a position; −1 if there is none. */
type Matcher = (start: number) => number

/**
 * Makes the matcher of a text.
 * @param tried a bit for each position and step: `stride` words for a position
 */
function matcherOf(program: Program, text: string, tried: Uint32Array, stride: number, work: Work): Matcher {
  const { codes, first, second, sets } = program
  const readRun = runReader(program, text, work)
  const stack: number[] = []
  /** Where a step that reads or looks leads from a position; −1 if nowhere. */
  const after = (step: number, at: number): number => {
    const code = text.codePointAt(at)
    switch (codes[step]) {
      case READ:
        return code !== undefined && sets[step]!(code) ? at + widthOf(code) : -1
      case SEES:
        return code !== undefined && sets[step]!(code) ? at : -1
      case SEES_NOT:
        return code !== undefined && sets[step]!(code) ? -1 : at
      case READ_ALL:
        return readRun(step, at)
      case LINE_START:
        return at === 0 || text[at - 1] === '\n' ? at : -1
      default:
        return code === undefined || code === 10 ? at : -1
    }
  }
  return (start) => {
    let [visits, end] = [0, -1]
    stack.length = 0
    stack.push(0, start)
    while (end < 0 && stack.length > 0) {
      let at = stack.pop()!
      for (let step = stack.pop()!; at >= 0; visits++) {
        const word = at * stride + (step >>> 5)
        const bit = 1 << (step & 31)
        if ((tried[word]! & bit) !== 0) break
        tried[word]! |= bit
        if (codes[step] === MATCH) {
          end = at
          break
        }
        if (codes[step] === SPLIT) {
          stack.push(second[step]!, at)
          step = first[step]!
        } else at = after(step++, at)
      }
      if (visits < VISITS) continue
      work.spend(STEPS_PER_VISIT * visits)
      visits = 0
    }
    work.spend(STEPS_PER_VISIT * (visits + 1))
    return end
  }
}

/**
 * Finds matches as a backtracking matcher does, but tries no step twice at one position: what failed there fails again, from
 * wherever one comes. So it takes time in proportion to the text and the expression.
 * Source: Cox, Regular Expression Matching: the Virtual Machine Approach, 2009, "Backtracking".
 */
function eachMatch(program: Program, text: string, work: Work, found: (start: number, end: number) => void): void {
  const stride = Math.ceil(program.codes.length / 32)
  const words = (text.length + 1) * stride
  work.hold(4 * words)
  work.spend(words / 4)
  const tried = new Uint32Array(words)
  const endFrom = matcherOf(program, text, tried, stride, work)
  for (let start = 0; start < text.length;) {
    const end = endFrom(start)
    if (end <= start) {
      start += widthOf(text.codePointAt(start)!)
      continue
    }
    found(start, end)
    start = end
    // What was tried here led to the match, and may lead to the next.
    tried.fill(0, end * stride, (end + 1) * stride)
    work.spend(stride / 4)
  }
  work.hold(-4 * words)
}

/**
 * A regular expression of a tokenizer.json that takes no longer than in proportion to the text.
 * @param sets makes its sets of characters
 * @returns why not, if it is not understood
 */
export function linearExpression(source: string, sets: CharacterSets): Expression | { readonly refused: string } {
  const compiled = compileRegex(source)
  if ('refused' in compiled) return compiled
  const program = programOf(compiled, sets)
  return { each: (text, work, found) => eachMatch(program, text, work, found) }
}
