import { failSyntax } from '../failure.js'
import type { Runtime } from '../runtime.js'
import { type Body, type Cursor, type Grammar, cursorOf, heightOf } from './cursor.js'
import { lex } from './lex.js'
import type { Expression, Statement } from './nodes.js'
import { parseExpression, parseTuple } from './parse-expression.js'
import { STATEMENTS } from './parse-statement.js'

function parseStatement(cursor: Cursor): Statement {
  const { type, value, line } = cursor.current()
  if (type !== 'name') failSyntax('tag name expected', line)
  const parse = Object.hasOwn(STATEMENTS, value) ? STATEMENTS[value]! : undefined
  if (parse === undefined) return failSyntax(`encountered unknown tag '${value}'`, line)
  return cursor.nested(4, () => parse(cursor))
}

/** Parses statements up to one of the end tags, or to the end of the template if there are none. */
function parseUpTo(cursor: Cursor, ends: readonly string[]): readonly Statement[] {
  const statements: Statement[] = []
  let items: Expression[] = []
  const flush = (): void => {
    const line = items[0]?.line ?? 1
    if (items.length > 0) statements.push({ type: 'output', items, line, height: heightOf(line, items) })
    items = []
  }
  for (;;) {
    const { type, value, line } = cursor.current()
    if (type === 'eof') break
    cursor.next()
    if (type === 'data') items.push({ type: 'data', text: value, line, height: 1 })
    else if (type === 'variable_begin') {
      items.push(parseTuple(cursor))
      cursor.expect('variable_end')
    } else {
      flush()
      if (ends.length > 0 && cursor.is('name', ...ends)) return statements
      statements.push(parseStatement(cursor))
      cursor.expect('block_end')
    }
  }
  flush()
  return statements
}

/**
 * Parses the body of a statement, from the end of its tag to one of the end tags, which is skipped.
 * @throws SyntaxError with the line if the template ends first
 */
function parseBody(cursor: Cursor, ends: readonly string[]): Body {
  cursor.skipIf('colon')
  cursor.expect('block_end')
  const { line } = cursor.current()
  const statements = parseUpTo(cursor, ends)
  if (cursor.is('eof')) failSyntax(`unexpected end of template, expected ${ends.join(' or ')}`, cursor.current().line)
  const end = cursor.next().value
  return { statements, end, height: heightOf(line, statements) }
}

const GRAMMAR: Grammar = { expression: parseExpression, tuple: parseTuple, body: parseBody }

/**
 * Parses a template.
 * @throws SyntaxError with the line if it is invalid or nested too deeply
 */
export const parseTemplate = (rt: Runtime, template: string): readonly Statement[] =>
  parseUpTo(cursorOf(rt, lex(rt, template), GRAMMAR), [])
