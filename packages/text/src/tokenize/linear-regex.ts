import { type CharacterSets, type IsIn, classesOf } from './character-sets.js'
import { type Compiled, type Step, compileRegex } from './compile-regex.js'
import type { Expression } from './expression.js'
import type { Work } from './work.js'

/** Step codes: read a character, positive or negative lookahead, read a run, split, line start or end, match. */
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

/** Steps in columns. `first` and `second` are the targets of a split, or the minimum and maximum characters of a run. */
interface Program {
  readonly codes: Uint8Array
  readonly first: Float64Array
  readonly second: Float64Array
  readonly sets: readonly IsIn[]
  /** Cost of a visit of each step; grows with the number of properties that it tests. */
  readonly costs: Uint16Array
  readonly learned: CharacterSets['learned']
}

function programOf({ steps }: Compiled, sets: CharacterSets): Program {
  const bounds = steps.map((step): readonly [number, number] =>
    step.type === 'split' ? [step.first, step.second] : step.type === 'readAll' ? [step.minimum, step.maximum] : [0, 0],
  )
  return {
    codes: Uint8Array.from(steps, ({ type }) => CODES[type]),
    first: Float64Array.from(bounds, ([first]) => first),
    second: Float64Array.from(bounds, ([, second]) => second),
    sets: steps.map((step) => ('set' in step ? sets.make(step.set) : () => false)),
    costs: Uint16Array.from(steps, (step) => 1 + ('set' in step ? classesOf(step.set).size >> 2 : 0)),
    learned: sets.learned,
  }
}

const widthOf = (code: number): number => (code > 0xffff ? 2 : 1)

/** Finds the end of a possessive repetition at a position; −1 if it does not match. The last end is cached. */
function runReader({ first, second, sets, costs }: Program, text: string, work: Work) {
  const runs = new Map<number, readonly [from: number, to: number]>()
  return (step: number, from: number): number => {
    const [minimum, maximum, isIn] = [first[step]!, second[step]!, sets[step]!]
    const known = runs.get(step)
    if (maximum === Infinity && known !== undefined && from > known[0] && from < known[1]) return known[1]
    let [end, count] = [from, 0]
    for (; end < text.length && count < maximum; count++) {
      const code = text.codePointAt(end)!
      if (!isIn(code)) break
      end += widthOf(code)
    }
    work.spend(STEPS_PER_VISIT * costs[step]! * count)
    runs.set(step, [from, end])
    return count < minimum ? -1 : end
  }
}

/** Steps of work per visit (about 20 ns), per search in a text, and per property lookup that is not cached. */
const [STEPS_PER_VISIT, STEPS_PER_SEARCH, STEPS_PER_LEARNED] = [5, 150, 40]
/** Bytes per entry of a matcher's stack. */
const BYTES_PER_ENTRY = 16
/** Number of visits that are counted at once. */
const VISITS = 4096

/** Finds the end of the match that begins at a position; −1 if there is none. */
type Matcher = (start: number) => number

/** Creates a function that runs a read or test step: returns the next position; −1 if it fails. */
function stepRunner(program: Program, text: string, work: Work): (step: number, at: number) => number {
  const { codes, sets } = program
  const readRun = runReader(program, text, work)
  return (step, at) => {
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
}

/** Accounts for visits, and for the memory of a growing stack. */
function meterOf(stack: readonly number[], work: Work) {
  let held = 0
  return {
    count(visits: number): void {
      work.spend(STEPS_PER_VISIT * visits)
      if (stack.length <= held) return
      work.hold(BYTES_PER_ENTRY * (stack.length - held))
      held = stack.length
    },
    release(): void {
      if (held > 0) work.hold(-BYTES_PER_ENTRY * held)
      held = 0
    },
  }
}

/**
 * Creates the matcher of a text.
 * @param tried a bit per position and step: `stride` words per position
 */
function matcherOf(program: Program, text: string, tried: Uint32Array, stride: number, work: Work): Matcher {
  const { codes, first, second, costs } = program
  const after = stepRunner(program, text, work)
  const stack: number[] = []
  const { count, release } = meterOf(stack, work)
  return (start) => {
    let [visits, end] = [1, -1]
    stack.push(0, start)
    while (end < 0 && stack.length > 0) {
      let at = stack.pop()!
      for (let step = stack.pop()!; at >= 0;) {
        visits += costs[step]!
        if (visits >= VISITS) {
          count(visits)
          visits = 0
        }
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
    }
    count(visits)
    release()
    stack.length = 0
    return end
  }
}

/**
 * Finds matches like a backtracking matcher, but tries each step at most once per position: a step that failed at a position
 * fails there again. Time is proportional to the product of the lengths of text and expression.
 * Source: Cox, Regular Expression Matching: the Virtual Machine Approach, 2009, "Backtracking".
 */
function eachMatch(program: Program, text: string, work: Work, found: (start: number, end: number) => void): void {
  const stride = Math.ceil(program.codes.length / 32)
  const words = (text.length + 1) * stride
  work.hold(4 * words)
  work.spend(STEPS_PER_SEARCH + words / 4)
  const tried = new Uint32Array(words)
  const endFrom = matcherOf(program, text, tried, stride, work)
  let known = program.learned()
  for (let start = 0; start < text.length;) {
    const end = endFrom(start)
    const learned = program.learned()
    if (learned > known) work.spend(STEPS_PER_LEARNED * (learned - known))
    known = learned
    if (end <= start) {
      start += widthOf(text.codePointAt(start)!)
      continue
    }
    found(start, end)
    start = end
    // Steps tried at this position led to the match and may match again.
    tried.fill(0, end * stride, (end + 1) * stride)
    work.spend(stride / 4)
  }
  work.hold(-4 * words)
}

/**
 * A regular expression of a tokenizer.json that runs in time proportional to the text.
 * @param sets creates its character sets
 * @returns the reason if it is not supported
 */
export function linearExpression(source: string, sets: CharacterSets): Expression | { readonly refused: string } {
  const compiled = compileRegex(source)
  if ('refused' in compiled) return compiled
  const program = programOf(compiled, sets)
  return { each: (text, work, found) => eachMatch(program, text, work, found) }
}
