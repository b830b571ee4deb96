import { failSyntax } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { countLines, endOfText, isSpace, skipSpaces } from '../text/characters.js'
import { type Lexing, lexTag } from './lex-tag.js'
import type { Token } from './token.js'

const RAW = /\{%[-+]?\s*raw\s*(?:-%\}\s*|%\})/y
const END_RAW = /\{%([-+]?)\s*endraw\s*(?:\+%\}|-%\}\s*|%\}\n?)/y
const BEGINNINGS: Readonly<Record<string, string>> = { '%': 'block_begin', '{': 'variable_begin', '#': 'comment' }

/** Index of the next tag or comment; the length of the source if there is none. */
function nextTag(source: string, from: number): number {
  for (let at = source.indexOf('{', from); at >= 0; at = source.indexOf('{', at + 1))
    if (Object.hasOwn(BEGINNINGS, source[at + 1] ?? '')) return at
  return source.length
}

/** Start index of trailing whitespace, if it is the whole last line of a text; else the length of the text. */
function indentation(text: string, isLineStart: boolean): number {
  const start = text.lastIndexOf('\n') + 1
  if (start === 0 && !isLineStart) return text.length
  for (let at = start; at < text.length; at++) if (!isSpace(text.charCodeAt(at))) return text.length
  return start
}

/** Appends the text before a tag, without the whitespace that the tag strips. */
function addData(lexing: Lexing, text: string, sign: string | undefined, isStripped: boolean): void {
  const { tokens, line } = lexing
  const end =
    sign === '-' ? endOfText(text) : isStripped && sign !== '+' ? indentation(text, lexing.isLineStart) : text.length
  if (end > 0) tokens.push({ type: 'data', value: text.slice(0, end), line })
  lexing.line += countLines(text)
}

function skip(lexing: Lexing, end: number): void {
  const text = lexing.source.slice(lexing.at, end)
  lexing.line += countLines(text)
  lexing.isLineStart = text.endsWith('\n')
  lexing.at = end
}

function lexComment(lexing: Lexing): void {
  const { source, line } = lexing
  const begin = lexing.at + 2 + (source[lexing.at + 2] === '-' || source[lexing.at + 2] === '+' ? 1 : 0)
  const mark = source.indexOf('#}', begin)
  if (mark < 0) failSyntax('missing end of comment tag', line)
  const sign = mark > begin ? source[mark - 1] : undefined
  const after = mark + 2
  skip(lexing, sign === '-' ? skipSpaces(source, after) : sign !== '+' && source[after] === '\n' ? after + 1 : after)
}

function lexRaw(lexing: Lexing, begin: string): void {
  const { source, line } = lexing
  skip(lexing, lexing.at + begin.length)
  for (let at = source.indexOf('{%', lexing.at); at >= 0; at = source.indexOf('{%', at + 1)) {
    END_RAW.lastIndex = at
    const end = END_RAW.exec(source)
    if (end === null) continue
    addData(lexing, source.slice(lexing.at, at), end[1], true)
    lexing.at = at
    skip(lexing, at + end[0].length)
    return
  }
  failSyntax('missing end of raw directive', line)
}

function lexNext(lexing: Lexing): void {
  const { source, tokens } = lexing
  const at = nextTag(source, lexing.at)
  const text = source.slice(lexing.at, at)
  if (at === source.length) {
    if (text !== '') tokens.push({ type: 'data', value: text, line: lexing.line })
    lexing.at = at
    return
  }
  const type = BEGINNINGS[source[at + 1]!]!
  const isSigned = source[at + 2] === '-' || source[at + 2] === '+'
  addData(lexing, text, isSigned ? source[at + 2] : undefined, type !== 'variable_begin')
  lexing.at = at
  lexing.isLineStart = false
  RAW.lastIndex = at
  const raw = type === 'block_begin' ? RAW.exec(source) : null
  if (raw !== null) return lexRaw(lexing, raw[0])
  if (type === 'comment') return lexComment(lexing)
  tokens.push({ type, value: '', line: lexing.line })
  lexing.at = at + (isSigned ? 3 : 2)
  lexTag(lexing, type === 'block_begin')
}

/**
 * Splits a template into tokens, like Jinja2's lexer with `trim_blocks` and `lstrip_blocks`.
 * @throws SyntaxError with the line of invalid syntax
 */
export function lex(rt: Runtime, template: string): readonly Token[] {
  const normal = template.replace(/\r\n?/g, '\n')
  const source = normal.endsWith('\n') ? normal.slice(0, -1) : normal
  rt.spend(10 * source.length)
  rt.hold(10 * source.length)
  const lexing: Lexing = { source, tokens: [], at: 0, line: 1, isLineStart: true }
  while (lexing.at < source.length) lexNext(lexing)
  return [...lexing.tokens, { type: 'eof', value: '', line: lexing.line }]
}
