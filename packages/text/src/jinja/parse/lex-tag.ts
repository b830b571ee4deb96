import { failSyntax } from '../failure.js'
import { isIdentifier } from '../text/character-classes.js'
import { countLines, skipSpaces } from '../text/characters.js'
import { integerFrom } from '../values/integers.js'
import { float } from '../values/value.js'
import { OPERATORS, type Token } from './token.js'
import { unescape } from './unescape.js'

/** State of the lexer. */
export interface Lexing {
  readonly source: string
  readonly tokens: Token[]
  at: number
  line: number
  /** True if the previous token ended with a line break. */
  isLineStart: boolean
}

const FLOAT = /(?<!\.)(?:\d+_)*\d+(?:(?:\.(?:\d+_)*\d+)?e[+-]?(?:\d+_)*\d+|\.(?:\d+_)*\d+)/iy
const INTEGER = /0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const ASCII_NAME = /\w+/y
const NAME = /[\p{L}\p{N}\p{XID_Continue}_]+/uy
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' }

const matchAt = (pattern: RegExp, text: string, at: number): string | undefined => {
  pattern.lastIndex = at
  return pattern.exec(text)?.[0]
}

function nameAt(source: string, at: number): string | undefined {
  const name = matchAt(ASCII_NAME, source, at)
  const end = at + (name?.length ?? 0)
  return source.charCodeAt(end) >= 0x80 ? matchAt(NAME, source, at) : name
}

/** Index after the string literal at an index; undefined if it is not terminated. */
function endOfString(source: string, at: number): number | undefined {
  const quote = source[at]
  for (let end = at + 1; end < source.length; end++) {
    if (source[end] === '\\') end++
    else if (source[end] === quote) return end + 1
  }
  return undefined
}

function lexNumber({ source, line }: Lexing, at: number): { readonly text: string; readonly token: Token } | undefined {
  const decimal = matchAt(FLOAT, source, at)
  if (decimal !== undefined) {
    const number = float(Number(decimal.replaceAll('_', '')))
    return { text: decimal, token: { type: 'float', value: decimal, number, line } }
  }
  const text = matchAt(INTEGER, source, at)
  if (text === undefined) return undefined
  return { text, token: { type: 'integer', value: text, number: integerFrom(text.replaceAll('_', '')), line } }
}

/** The next literal or name of a tag, with its source text. */
function lexOperand(lexing: Lexing): { readonly text: string; readonly token: Token } | undefined {
  const { source, at, line } = lexing
  const first = source[at]!
  if (first === "'" || first === '"') {
    const end = endOfString(source, at)
    if (end === undefined) return undefined
    const text = source.slice(at, end)
    return { text, token: { type: 'string', value: unescape(text.slice(1, -1), line), line } }
  }
  const number = first >= '0' && first <= '9' ? lexNumber(lexing, at) : undefined
  if (number !== undefined) return number
  const name = nameAt(source, at)
  if (name === undefined) return undefined
  if (!isIdentifier(name)) failSyntax(`invalid character in the name '${name}'`, line)
  return { text: name, token: { type: 'name', value: name, line } }
}

function lexOperator({ source, at, line }: Lexing, open: string[]): Token {
  const pair = source.slice(at, at + 2)
  const text = OPERATORS[pair] === undefined ? source[at]! : pair
  const type = Object.hasOwn(OPERATORS, text) ? OPERATORS[text] : undefined
  if (type === undefined) return failSyntax(`unexpected character '${text}'`, line)
  if (CLOSING[text] !== undefined) open.push(CLOSING[text])
  else if (text === ')' || text === ']' || text === '}') {
    const expected = open.pop()
    if (expected !== text)
      failSyntax(expected === undefined ? `unexpected '${text}'` : `unexpected '${text}', expected '${expected}'`, line)
  }
  return { type, value: text, line }
}

/** Source text of the end of the tag, if it is at the current index; else undefined. */
function endOfTag({ source, at }: Lexing, isBlock: boolean): string | undefined {
  const mark = isBlock ? '%}' : '}}'
  if (source.startsWith(mark, at)) return isBlock && source[at + 2] === '\n' ? `${mark}\n` : mark
  if (!source.startsWith(mark, at + 1)) return undefined
  if (isBlock && source[at] === '+') return `+${mark}`
  return source[at] === '-' ? source.slice(at, skipSpaces(source, at + 3)) : undefined
}

/**
 * Appends the tokens of a tag whose beginning has been read.
 * @throws SyntaxError with the line of an invalid token
 */
export function lexTag(lexing: Lexing, isBlock: boolean): void {
  const open: string[] = []
  const { source, tokens } = lexing
  while (lexing.at < source.length) {
    const after = skipSpaces(source, lexing.at)
    lexing.line += countLines(source.slice(lexing.at, after))
    lexing.at = after
    const end = open.length === 0 ? endOfTag(lexing, isBlock) : undefined
    if (end !== undefined) {
      tokens.push({ type: isBlock ? 'block_end' : 'variable_end', value: end, line: lexing.line })
      lexing.line += countLines(end)
      lexing.at += end.length
      lexing.isLineStart = end.endsWith('\n')
      return
    }
    if (after >= source.length) return
    const operand = lexOperand(lexing)
    const token = operand?.token ?? lexOperator(lexing, open)
    const text = operand?.text ?? token.value
    tokens.push(token)
    if (token.type === 'string') lexing.line += countLines(text)
    lexing.at += text.length
  }
}
