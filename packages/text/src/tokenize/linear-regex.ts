import { type How, type Regex, parseRegex } from './regex-syntax.js'

/** What finds places in a text, from the left and never two over each other: as a RegExp with the flag `g` does. */
export interface Expression {
  matchAll(text: string): Iterable<{ readonly index: number; readonly 0: string }>
}

/** The same by a regular expression of JavaScript's own. */
export const native = (expression: RegExp): Expression => ({ matchAll: (text) => text.matchAll(expression) })

type IsIn = (code: number) => boolean

/** One step: read a character of a set, go on in two ways (the first one first), or look at what stands there. */
type Step =
  | { readonly type: 'read' | 'sees' | 'seesNot'; readonly set: IsIn }
  | { readonly type: 'readAll'; readonly set: IsIn; readonly least: number; readonly most: number }
  | Split
  | { readonly type: 'lineStart' | 'lineEnd' }
  | { readonly type: 'match' }

const MOST_STEPS = 2000

/** Whether a character is in a set; what was asked of characters below U+3000 is remembered. */
function isInSet(inside: string, negated: boolean): IsIn {
  const expression = new RegExp(`^[${negated ? '^' : ''}${inside}]$`, 'v')
  const known = new Uint8Array(0x3000)
  return (code) => {
    if (code >= known.length) return expression.test(String.fromCodePoint(code))
    known[code] ||= expression.test(String.fromCharCode(code)) ? 2 : 1
    return known[code] === 2
  }
}

/** A step that goes on in two ways, which are set when it is known where they lead. */
interface Split {
  readonly type: 'split'
  first: number
  second: number
}

function branch(steps: Step[]): Split {
  const split: Split = { type: 'split', first: 0, second: 0 }
  steps.push(split)
  return split
}

/** Sets where a split leads: into what comes next, or past it, whichever is to be tried first. */
function aim(split: Split, inTo: number, past: number, how: How): void {
  ;[split.first, split.second] = how === 'lazy' ? [past, inTo] : [inTo, past]
}

function emitRepeat(steps: Step[], { of, least, most, how }: Extract<Regex, { type: 'repeat' }>): void {
  if (how === 'possessive' && of.type === 'set') {
    steps.push({ type: 'readAll', set: isInSet(of.inside, of.negated), least, most })
    return
  }
  for (let n = 0; n < least && steps.length <= MOST_STEPS; n++) emit(steps, of)
  const splits: (readonly [split: Split, inTo: number])[] = []
  for (let n = least; n < most && steps.length <= MOST_STEPS; n++) {
    const at = steps.length
    splits.push([branch(steps), at + 1])
    emit(steps, of)
    if (most !== Infinity) continue
    const back = branch(steps)
    back.first = back.second = at
    break
  }
  for (const [split, inTo] of splits) aim(split, inTo, steps.length, how)
}

function emitChoice(steps: Step[], parts: readonly Regex[]): void {
  const ends: Split[] = []
  for (const part of parts.slice(0, -1)) {
    const split = branch(steps)
    const inTo = steps.length
    emit(steps, part)
    ends.push(branch(steps))
    aim(split, inTo, steps.length, 'greedy')
  }
  emit(steps, parts.at(-1)!)
  for (const end of ends) end.first = end.second = steps.length
}

function emit(steps: Step[], part: Regex): void {
  if (steps.length > MOST_STEPS) return
  switch (part.type) {
    case 'set':
      steps.push({ type: 'read', set: isInSet(part.inside, part.negated) })
      return
    case 'look':
      steps.push({ type: part.negated ? 'seesNot' : 'sees', set: isInSet(part.at.inside, part.at.negated) })
      return
    case 'sequence':
      for (const each of part.parts) emit(steps, each)
      return
    case 'choice':
      emitChoice(steps, part.parts)
      return
    case 'repeat':
      emitRepeat(steps, part)
      return
    default:
      steps.push({ type: part.type })
  }
}

/** The steps of an expression, in a row; undefined if there are too many. */
function compile(regex: Regex): readonly Step[] | undefined {
  const steps: Step[] = []
  emit(steps, regex)
  steps.push({ type: 'match' })
  return steps.length > MOST_STEPS ? undefined : steps
}

const widthOf = (code: number): number => (code > 0xffff ? 2 : 1)

/** Where a possessive repetition ends that begins at a place; −1 if it cannot be. Ends are remembered. */
function reader(text: string) {
  const runs = new Map<Step, readonly [from: number, to: number]>()
  return (step: Extract<Step, { type: 'readAll' }>, from: number): number => {
    const known = runs.get(step)
    let [end, count] = [from, 0]
    if (step.least <= 1 && step.most === Infinity && known !== undefined && from > known[0] && from < known[1])
      return known[1]
    for (; end < text.length && count < step.most; count++) {
      const code = text.codePointAt(end)!
      if (!step.set(code)) break
      end += widthOf(code)
    }
    runs.set(step, [from, end])
    return count < step.least ? -1 : end
  }
}

/** Where a single step leads from a place: −1 if nowhere. */
function placeAfter(step: Exclude<Step, { type: 'split' | 'match' | 'readAll' }>, text: string, at: number): number {
  const code = text.codePointAt(at)
  switch (step.type) {
    case 'read':
      return code !== undefined && step.set(code) ? at + widthOf(code) : -1
    case 'sees':
      return code !== undefined && step.set(code) ? at : -1
    case 'seesNot':
      return code !== undefined && step.set(code) ? -1 : at
    case 'lineStart':
      return at === 0 || text[at - 1] === '\n' ? at : -1
    case 'lineEnd':
      return code === undefined || code === 10 ? at : -1
  }
}

/**
 * Finds matches as a backtracking matcher does, but tries no step twice at one place: what failed there fails again, from
 * wherever one comes. So it takes time in proportion to the text, whatever the expression.
 * Source: Cox, Regular Expression Matching: the Virtual Machine Approach, 2009, "Backtracking".
 */
function* matches(steps: readonly Step[], text: string): Generator<{ readonly index: number; readonly 0: string }> {
  const width = steps.length
  const tried = new Uint32Array(Math.ceil(((text.length + 1) * width) / 32))
  const readAll = reader(text)
  const endFrom = (start: number): number => {
    const stack = [0, start]
    while (stack.length > 0) {
      const place = stack.pop()!
      const at = stack.pop()!
      const bit = place * width + at
      if (((tried[bit >>> 5]! >>> (bit & 31)) & 1) === 1) continue
      tried[bit >>> 5]! |= 1 << (bit & 31)
      const step = steps[at]!
      if (step.type === 'match') return place
      if (step.type === 'split') stack.push(step.second, place, step.first, place)
      else {
        const reached = step.type === 'readAll' ? readAll(step, place) : placeAfter(step, text, place)
        if (reached >= 0) stack.push(at + 1, reached)
      }
    }
    return -1
  }
  for (let start = 0; start < text.length;) {
    const end = endFrom(start)
    if (end <= start) {
      start += widthOf(text.codePointAt(start)!)
      continue
    }
    yield { index: start, 0: text.slice(start, end) }
    start = end
    // What was tried here led to the match, and may lead to the next.
    for (let bit = end * width; bit < (end + 1) * width; bit++) tried[bit >>> 5]! &= ~(1 << (bit & 31))
  }
}

/**
 * A regular expression of a tokenizer.json, with Oniguruma's meaning, that takes no longer than in proportion to the text.
 * @returns why not, if it is not understood
 */
export function linearExpression(source: string): Expression | { readonly refused: string } {
  const regex = parseRegex(source)
  if ('refused' in regex) return regex
  const steps = compile(regex)
  return steps === undefined ? { refused: 'it is too long' } : { matchAll: (text) => matches(steps, text) }
}
