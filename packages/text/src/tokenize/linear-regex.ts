import { type CharacterSets, type IsIn, classesOf } from './character-sets.js'
import { type Compiled, type Step, compileRegex } from './compile-regex.js'
import type { Expression } from './expression.js'
import type { Work } from './work.js'

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
  /** What a visit of a step counts for: the more, the more properties it asks for. */
  readonly costs: Uint16Array
  readonly learned: CharacterSets['learned']
}

function programOf({ steps }: Compiled, sets: CharacterSets): Program {
  const bounds = steps.map((step): readonly [number, number] =>
    step.type === 'split' ? [step.first, step.second] : step.type === 'readAll' ? [step.least, step.most] : [0, 0],
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

/** Finds where a possessive repetition ends that begins at a position; −1 if it cannot be. The last end is remembered. */
function runReader({ first, second, sets, costs }: Program, text: string, work: Work) {
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
    work.spend(STEPS_PER_VISIT * costs[step]! * count)
    runs.set(step, [from, end])
    return count < least ? -1 : end
  }
}

/** Steps that a visit of a step at a position takes, some 20 ns, a search for matches in a text, and a new property. */
const [STEPS_PER_VISIT, STEPS_PER_SEARCH, STEPS_PER_LEARNED] = [5, 150, 40]
/** Bytes that an entry of a matcher's stack takes while the stack grows. */
const BYTES_PER_ENTRY = 16
/** Visits that are counted at once. */
const VISITS = 4096

/** Finds the end of the match that begins at a position; −1 if there is none. */
type Matcher = (start: number) => number

/** Makes the function that runs a step which reads or looks: returns where it leads from a position; −1 if nowhere. */
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

/** Counts visits, and the memory of a stack while it grows. */
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
 * Makes the matcher of a text.
 * @param tried a bit for each position and step: `stride` words for a position
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
 * Finds matches as a backtracking matcher does, but tries no step twice at one position: what failed there fails again, from
 * wherever one comes. So it takes time in proportion to the text and the expression.
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
