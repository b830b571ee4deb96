import { failSyntax } from '../failure.js'
import { type Body, type Cursor, type TupleOptions, heightOf } from './cursor.js'
import type { Call, Expression, For, If, Load, Output, Parameters, Statement, Target, With } from './nodes.js'
import { parseExpression, parseTuple } from './parse-expression.js'
import { isConstantName, parseFilter } from './parse-operand.js'

const parseBody = (cursor: Cursor, ends: readonly string[]): Body => cursor.grammar.body(cursor, ends)

const isTarget = (node: Expression): node is Target => {
  if (node.type === 'tuple') return node.items.every(isTarget)
  return node.type === 'name' || node.type === 'namespace'
}

function parseTarget(cursor: Cursor, options: TupleOptions = {}): Target {
  const { line } = cursor.current()
  const target = parseTuple(cursor, { ...options, isTarget: true })
  return isTarget(target) ? target : failSyntax(`cannot assign to a ${target.type}`, line)
}

function parseNameTarget(cursor: Cursor): string {
  const { value, line } = cursor.expect('name')
  return isConstantName(value) ? failSyntax(`cannot assign to '${value}'`, line) : value
}

const heightWith = (line: number, { height }: Body, ...others: readonly (Expression | undefined)[]): number =>
  heightOf(line, [{ height }, ...others])

function parseSet(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const target = parseTarget(cursor, { hasNamespaces: true })
  if (cursor.skipIf('assign')) {
    const value = parseTuple(cursor)
    return { type: 'assign', target, value, line, height: heightOf(line, [target, value]) }
  }
  const filter = cursor.is('pipe') ? parseBlockFilter(cursor) : undefined
  const body = parseBody(cursor, ['endset'])
  return { type: 'assign-block', target, filter, body: body.statements, line, height: heightWith(line, body, filter) }
}

/** Parses a filter chain whose first filter has no operand. */
function parseBlockFilter(cursor: Cursor, isFirst: boolean = false) {
  if (!isFirst) cursor.expect('pipe')
  let filter = parseFilter(cursor, undefined)
  while (cursor.skipIf('pipe')) filter = parseFilter(cursor, filter)
  return filter
}

function parseFor(cursor: Cursor): For {
  const { line } = cursor.next()
  const target = parseTarget(cursor, { end: 'in' })
  cursor.expect('name', 'in')
  const iterable = parseTuple(cursor, { hasConditionals: false, end: 'recursive' })
  const test = cursor.skipIf('name', 'if') ? parseExpression(cursor) : undefined
  const isRecursive = cursor.skipIf('name', 'recursive')
  const body = parseBody(cursor, ['endfor', 'else'])
  const otherwise = body.end === 'else' ? parseBody(cursor, ['endfor']) : undefined
  return {
    type: 'for',
    target,
    iterable,
    body: body.statements,
    otherwise: otherwise?.statements ?? [],
    test,
    isRecursive,
    line,
    height: heightOf(line, [target, iterable, test, body, otherwise]),
  }
}

function parseIf(cursor: Cursor): If {
  const { line } = cursor.next()
  const branches: { test: Expression; body: readonly Statement[] }[] = []
  const parts: { height: number }[] = []
  for (;;) {
    const test = parseTuple(cursor, { hasConditionals: false })
    const body = parseBody(cursor, ['elif', 'else', 'endif'])
    branches.push({ test, body: body.statements })
    parts.push(test, body)
    if (body.end === 'elif') continue
    const otherwise = body.end === 'else' ? parseBody(cursor, ['endif']) : undefined
    const height = heightOf(line, [...parts, otherwise])
    return { type: 'if', branches, otherwise: otherwise?.statements ?? [], line, height }
  }
}

function parseWith(cursor: Cursor): With {
  const { line } = cursor.next()
  const assignments: [Target, Expression][] = []
  while (!cursor.is('block_end')) {
    if (assignments.length > 0) cursor.expect('comma')
    const target = parseTarget(cursor)
    cursor.expect('assign')
    assignments.push([target, parseExpression(cursor)])
  }
  const body = parseBody(cursor, ['endwith'])
  const height = heightOf(line, [body, ...assignments.map(([, value]) => value)])
  return { type: 'with', assignments, body: body.statements, line, height }
}

function parseParameters(cursor: Cursor): Parameters {
  const names: string[] = []
  const known = new Set<string>()
  const defaults: Expression[] = []
  cursor.expect('lparen')
  while (!cursor.is('rparen')) {
    if (names.length > 0) cursor.expect('comma')
    const { line } = cursor.current()
    const name = parseNameTarget(cursor)
    if (known.has(name)) failSyntax(`duplicate parameter '${name}'`, line)
    if (cursor.skipIf('assign')) defaults.push(parseExpression(cursor))
    else if (defaults.length > 0) failSyntax('non-default argument follows default argument', line)
    names.push(name)
    known.add(name)
  }
  cursor.next()
  return { names, defaults }
}

function parseMacro(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const name = parseNameTarget(cursor)
  const parameters = parseParameters(cursor)
  const body = parseBody(cursor, ['endmacro'])
  const height = heightOf(line, [body, ...parameters.defaults])
  return { type: 'macro', name, parameters, body: body.statements, line, height }
}

function parseCallBlock(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const parameters = cursor.is('lparen') ? parseParameters(cursor) : { names: [], defaults: [] }
  const call = parseExpression(cursor)
  if (call.type !== 'call') failSyntax('expected a call', line)
  const body = parseBody(cursor, ['endcall'])
  const height = heightOf(line, [call, body, ...parameters.defaults])
  return { type: 'call-block', call: call as Call, parameters, body: body.statements, line, height }
}

function parseFilterBlock(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const filter = parseBlockFilter(cursor, true)
  const body = parseBody(cursor, ['endfilter'])
  return { type: 'filter-block', filter, body: body.statements, line, height: heightWith(line, body, filter) }
}

function parseBlock(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const name = cursor.expect('name').value
  const isScoped = cursor.skipIf('name', 'scoped')
  const isRequired = cursor.skipIf('name', 'required')
  const body = parseBody(cursor, ['endblock'])
  const isBlank = body.statements.every(
    (each) => each.type === 'output' && each.items.every((item) => item.type === 'data' && /^\s*$/.test(item.text)),
  )
  if (isRequired && !isBlank) failSyntax('Required blocks can only contain comments or whitespace', line)
  cursor.skipIf('name', name)
  return { type: 'block', name, isScoped, isRequired, body: body.statements, line, height: heightWith(line, body) }
}

function parsePrint(cursor: Cursor): Output {
  const { line } = cursor.next()
  const items: Expression[] = []
  while (!cursor.is('block_end')) {
    if (items.length > 0) cursor.expect('comma')
    items.push(parseExpression(cursor))
  }
  return { type: 'output', items, line, height: heightOf(line, items) }
}

function parseAutoescape(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const value = parseExpression(cursor)
  const body = parseBody(cursor, ['endautoescape'])
  return { type: 'autoescape', value, body: body.statements, line, height: heightWith(line, body, value) }
}

/** Skips `with context` or `without context`; returns true if it was present. */
function skipContext(cursor: Cursor): boolean {
  const next = cursor.look()
  if (!cursor.is('name', 'with', 'without') || next.type !== 'name' || next.value !== 'context') return false
  cursor.next()
  cursor.next()
  return true
}

function parseImportedNames(cursor: Cursor): readonly string[] {
  const names: string[] = []
  for (;;) {
    if (names.length > 0) cursor.expect('comma')
    if (!cursor.is('name')) cursor.expect('name')
    if (skipContext(cursor)) return names
    const { line } = cursor.current()
    const name = parseNameTarget(cursor)
    if (name.startsWith('_')) failSyntax('names starting with an underline can not be imported', line)
    names.push(cursor.skipIf('name', 'as') ? parseNameTarget(cursor) : name)
    if (skipContext(cursor) || !cursor.is('comma')) return names
  }
}

function parseLoad(cursor: Cursor): Load {
  const { value, line } = cursor.next()
  const tag = value as Load['tag']
  const template = parseExpression(cursor)
  const load = (names: readonly string[]): Load => ({
    type: 'load',
    tag,
    template,
    names,
    line,
    height: heightOf(line, [template]),
  })
  if (tag === 'from') {
    cursor.expect('name', 'import')
    return load(parseImportedNames(cursor))
  }
  if (tag === 'import') cursor.expect('name', 'as')
  const names = tag === 'import' ? [parseNameTarget(cursor)] : []
  const next = cursor.look()
  if (tag === 'include' && cursor.is('name', 'ignore') && next.type === 'name' && next.value === 'missing') {
    cursor.next()
    cursor.next()
  }
  if (tag !== 'extends') skipContext(cursor)
  return load(names)
}

function parseGeneration(cursor: Cursor): Statement {
  const { line } = cursor.next()
  const body = parseBody(cursor, ['endgeneration'])
  return { type: 'generation', body: body.statements, line, height: heightWith(line, body) }
}

const parseJump = (cursor: Cursor): Statement => {
  const { value, line } = cursor.next()
  return { type: value as 'break', line, height: 1 }
}

/** Statement parsers by tag. */
export const STATEMENTS: Readonly<Record<string, (cursor: Cursor) => Statement>> = {
  for: parseFor,
  if: parseIf,
  block: parseBlock,
  extends: parseLoad,
  print: parsePrint,
  macro: parseMacro,
  include: parseLoad,
  from: parseLoad,
  import: parseLoad,
  set: parseSet,
  with: parseWith,
  autoescape: parseAutoescape,
  call: parseCallBlock,
  filter: parseFilterBlock,
  generation: parseGeneration,
  break: parseJump,
  continue: parseJump,
}
