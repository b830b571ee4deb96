import type { CharacterSet, SetMember } from './character-sets.js'
import { SPACES } from './characters.js'

/** A set that matches one character. */
export interface SetRegex extends CharacterSet {
  readonly type: 'set'
}

/** A node of a regular expression. */
export type Regex =
  | SetRegex
  | { readonly type: 'sequence' | 'choice'; readonly parts: readonly Regex[] }
  | {
      readonly type: 'repeat'
      readonly of: Regex
      readonly minimum: number
      readonly maximum: number
      readonly mode: Mode
    }
  | { readonly type: 'look'; readonly at: SetRegex; readonly negated: boolean }
  | { readonly type: 'lineStart' | 'lineEnd' }

/** Quantifier mode: as many as possible, as few as possible, or as many as possible without backtracking. */
export type Mode = 'greedy' | 'lazy' | 'possessive'

/** Maximum repetition count, and maximum nesting of groups. */
const [MOST_REPEATS, DEEPEST] = [100, 20]
const CONTROL: Readonly<Record<string, string>> = {
  n: '\n',
  r: '\r',
  t: '\t',
  f: '\f',
  v: '\v',
  e: '\u001b',
  a: '\u0007',
}
/** Character classes of shorthand escapes; upper-case letters are their complements. */
const SHORTHANDS: Readonly<Record<string, string>> = {
  s: SPACES,
  d: String.raw`\p{Nd}`,
  w: String.raw`\p{Alphabetic}\p{M}\p{Nd}\p{Pc}`,
}
/** Further characters that Oniguruma matches with `\\w` outside a class. */
const MORE_IN_WORDS = String.raw`\xb2\xb3\xb9\xbc-\xbe`
const CATEGORY = /^(?:L[ultmo]?|M[nce]?|N[dlo]?|P[cdseifo]?|S[mcko]?|Z[slp]?|C[cfon]?)$/
const SCRIPT =
  /^(?:Arabic|Bengali|Cyrillic|Devanagari|Greek|Han|Hangul|Hebrew|Hiragana|Katakana|Latin|Tamil|Telugu|Thai)$/
const CASED = /^L[ult]$/

const REFUSED = Symbol('unsupported')
const refuse = (why: string): never => {
  throw new Error(`it ${why}`, { cause: REFUSED })
}

const literal = (character: string): SetMember => [character.codePointAt(0)!, character.codePointAt(0)!]
const complement = (inside: string): string => `[^${inside}]`

/** Case variants of a character. */
function anyCase(character: string): readonly SetMember[] {
  if (!/[a-z]/i.test(character))
    return character.toLowerCase() === character.toUpperCase()
      ? [literal(character)]
      : refuse('ignores the case of a non-ASCII letter')
  const [small, large] = [character.toLowerCase(), character.toUpperCase()]
  const more = small === 's' ? 'ſ' : small === 'k' ? '\u212a' : ''
  return [small, large, ...more].map(literal)
}

/** State of the parser. */
interface Reader {
  readonly characters: readonly string[]
  at: number
  /** Number of open groups. */
  depth: number
  ignoresCase: boolean
}

/** The meaning of an escape: a character or a class. */
type Escape = { readonly character: string } | { readonly inside: string; readonly shorthand?: string }

const peek = ({ characters, at }: Reader): string | undefined => characters[at]
const next = (reader: Reader): string => reader.characters[reader.at++] ?? refuse('ends too early')

function taken(reader: Reader, text: string): boolean {
  const found = reader.characters.slice(reader.at, reader.at + text.length).join('') === text
  if (found) reader.at += text.length
  return found
}

function until(reader: Reader, end: string): string {
  let text = ''
  for (let character = next(reader); character !== end; character = next(reader)) text += character
  return text
}

function property(reader: Reader, negated: boolean): string {
  if (next(reader) !== '{') refuse('has a property without a name')
  const name = until(reader, '}')
  const [not, plain] = name.startsWith('^') ? [!negated, name.slice(1)] : [negated, name]
  if (reader.ignoresCase && CASED.test(plain)) refuse('ignores the case of a case property')
  if (CATEGORY.test(plain)) return `\\${not ? 'P' : 'p'}{${plain}}`
  if (SCRIPT.test(plain)) return `\\${not ? 'P' : 'p'}{Script=${plain}}`
  return refuse(`has the unsupported property ${plain.slice(0, 20)}`)
}

function hexadecimal(reader: Reader, digits: number): string {
  const braced = digits === 2 && taken(reader, '{')
  const text = braced ? until(reader, '}') : Array.from({ length: digits }, () => next(reader)).join('')
  const code = /^[\da-f]{1,6}$/i.test(text) ? Number.parseInt(text, 16) : Infinity
  return code <= 0x10ffff ? String.fromCodePoint(code) : refuse('has an invalid code point')
}

function escape(reader: Reader): Escape {
  const letter = next(reader)
  if (letter === 'p' || letter === 'P') return { inside: property(reader, letter === 'P') }
  const shorthand = SHORTHANDS[letter.toLowerCase()]
  if (shorthand !== undefined)
    return { inside: letter === letter.toLowerCase() ? shorthand : complement(shorthand), shorthand: letter }
  if (letter === 'u') return { character: hexadecimal(reader, 4) }
  if (letter === 'x') return { character: hexadecimal(reader, 2) }
  const control = CONTROL[letter]
  if (control !== undefined) return { character: control }
  return /[a-z0-9]/i.test(letter) ? refuse(`has the unsupported escape \\${letter}`) : { character: letter }
}

const single = ({ ignoresCase }: Reader, character: string): readonly SetMember[] =>
  ignoresCase ? anyCase(character) : [literal(character)]

function range(reader: Reader, first: string): readonly SetMember[] {
  next(reader)
  const last = next(reader)
  const end = last === '\\' ? escape(reader) : { character: last }
  const [from, to] = [first.codePointAt(0)!, 'character' in end ? end.character.codePointAt(0)! : -1]
  if (to < from) return refuse('has an invalid range')
  if (!reader.ignoresCase) return [[from, to]]
  if (to - from > 200) return refuse('ignores the case of a range of more than 200 characters')
  return Array.from({ length: to - from + 1 }, (_, i) => anyCase(String.fromCodePoint(from + i))).flat()
}

function classSet(reader: Reader): Regex {
  const negated = taken(reader, '^')
  const members: SetMember[] = []
  let character = next(reader)
  do {
    if (character === '[' || (character === '&' && peek(reader) === '&')) refuse('has nested character classes')
    const found = character === '\\' ? escape(reader) : { character }
    const isRange = peek(reader) === '-' && reader.characters[reader.at + 1] !== ']'
    if ('inside' in found) members.push(found.inside)
    else members.push(...(isRange ? range(reader, found.character) : single(reader, found.character)))
    character = next(reader)
  } while (character !== ']')
  return { type: 'set', members, negated }
}

function group(reader: Reader): Regex {
  if (++reader.depth > DEEPEST) refuse('nests groups too deeply')
  const { ignoresCase } = reader
  const [sees, seesNot] = [taken(reader, '?='), taken(reader, '?!')]
  if (taken(reader, '?i:')) reader.ignoresCase = true
  else if (!taken(reader, '?:') && peek(reader) === '?') refuse('has an unsupported kind of group')
  const inside = choice(reader)
  if (next(reader) !== ')') refuse('has an unclosed group')
  reader.depth--
  reader.ignoresCase = ignoresCase
  if (!sees && !seesNot) return inside
  return inside.type === 'set'
    ? { type: 'look', at: inside, negated: seesNot }
    : refuse('has a lookahead of more than one character')
}

function atom(reader: Reader): Regex {
  const character = next(reader)
  switch (character) {
    case '(':
      return group(reader)
    case '[':
      return classSet(reader)
    case '.':
      return { type: 'set', members: [literal('\n')], negated: true }
    case '^':
      return { type: 'lineStart' }
    case '$':
      return { type: 'lineEnd' }
    case '*':
    case '+':
    case '?':
      return refuse('has nothing to repeat')
    case '\\': {
      const found = escape(reader)
      if ('character' in found) return { type: 'set', members: single(reader, found.character), negated: false }
      if (found.shorthand?.toLowerCase() !== 'w') return { type: 'set', members: [found.inside], negated: false }
      return { type: 'set', members: [SHORTHANDS['w']! + MORE_IN_WORDS], negated: found.shorthand === 'W' }
    }
    default:
      return { type: 'set', members: single(reader, character), negated: false }
  }
}

function counts(reader: Reader): readonly [minimum: number, maximum: number] | undefined {
  if (taken(reader, '*')) return [0, Infinity]
  if (taken(reader, '+')) return [1, Infinity]
  if (taken(reader, '?')) return [0, 1]
  const rest = reader.characters.slice(reader.at, reader.at + 10).join('')
  const found = /^\{(?:(\d{1,3})(?:(,)(\d{0,3}))?|(,)(\d{1,3}))\}/.exec(rest)
  if (found === null) return undefined
  reader.at += found[0].length
  const minimum = Number(found[1] ?? 0)
  const maximum =
    found[4] !== undefined
      ? Number(found[5])
      : found[2] === undefined
        ? minimum
        : found[3] === ''
          ? Infinity
          : Number(found[3])
  const isFew = minimum <= MOST_REPEATS && (maximum === Infinity || maximum <= MOST_REPEATS)
  return minimum <= maximum && isFew ? [minimum, maximum] : refuse('has an invalid or too large repetition count')
}

function repeated(reader: Reader): Regex {
  let of = atom(reader)
  for (;;) {
    const isNumber = peek(reader) === '{'
    const found = counts(reader)
    if (found === undefined) return of
    const [minimum, maximum] = found
    // After a count, `+` repeats the repetition.
    const mode: Mode = taken(reader, '?') ? 'lazy' : !isNumber && taken(reader, '+') ? 'possessive' : 'greedy'
    if (mode === 'possessive' && of.type !== 'set') refuse('has a possessive quantifier on a group')
    if (maximum === Infinity && mayBeEmpty(of)) refuse('repeats a possibly empty part without limit')
    of = { type: 'repeat', of, minimum, maximum, mode }
  }
}

function sequence(reader: Reader): Regex {
  const parts: Regex[] = []
  while (![undefined, '|', ')'].includes(peek(reader))) parts.push(repeated(reader))
  return parts.length === 1 ? parts[0]! : { type: 'sequence', parts }
}

function choice(reader: Reader): Regex {
  const parts = [sequence(reader)]
  while (taken(reader, '|')) parts.push(sequence(reader))
  return parts.length === 1 ? parts[0]! : { type: 'choice', parts }
}

function mayBeEmpty(regex: Regex): boolean {
  switch (regex.type) {
    case 'set':
      return false
    case 'repeat':
      return regex.minimum === 0 || mayBeEmpty(regex.of)
    case 'sequence':
      return regex.parts.every(mayBeEmpty)
    case 'choice':
      return regex.parts.some(mayBeEmpty)
    default:
      return true
  }
}

/**
 * Parses a regular expression of a tokenizer.json. Supports the subset of Oniguruma's syntax (used by the Rust library) that
 * occurs in such files.
 * @returns the reason if it is invalid or not supported
 */
export function parseRegex(source: string): Regex | { readonly refused: string } {
  const reader: Reader = { characters: [...source], at: 0, depth: 0, ignoresCase: false }
  try {
    const parsed = choice(reader)
    return peek(reader) === undefined ? parsed : refuse('has an unmatched bracket')
  } catch (error) {
    if (error instanceof Error && error.cause === REFUSED) return { refused: error.message }
    throw error
  }
}
