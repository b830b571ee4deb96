import { failSyntax } from '../failure.js'
import { concat } from '../runtime.js'
import { type Cursor, type TupleOptions, heightOf } from './cursor.js'
import type { Call, CallArguments, Expression, FilterNode } from './nodes.js'
import { describeToken } from './token.js'

const parseExpression = (cursor: Cursor): Expression => cursor.grammar.expression(cursor)
const parseTuple = (cursor: Cursor, options: TupleOptions): Expression => cursor.grammar.tuple(cursor, options)

const CONSTANTS: Readonly<Record<string, boolean | null>> = {
  true: true,
  True: true,
  false: false,
  False: false,
  none: null,
  None: null,
}

/** True for the name of a constant. */
export const isConstantName = (name: string): boolean => Object.hasOwn(CONSTANTS, name)

function parseName(cursor: Cursor, hasNamespaces: boolean): Expression {
  const { value: name, line } = cursor.next()
  if (isConstantName(name)) return { type: 'constant', value: CONSTANTS[name]!, line, height: 1 }
  if (!hasNamespaces || !cursor.skipIf('dot')) return { type: 'name', name, line, height: 1 }
  return { type: 'namespace', name, attribute: cursor.expect('name').value, line, height: 1 }
}

/** Parses a literal, a name, or a bracketed expression. */
export function parsePrimary(cursor: Cursor, hasNamespaces: boolean): Expression {
  const { type, line, number } = cursor.current()
  switch (type) {
    case 'name':
      return parseName(cursor, hasNamespaces)
    case 'string': {
      let text = cursor.next().value
      while (cursor.is('string')) text = concat(cursor.rt, text, cursor.next().value)
      return { type: 'constant', value: text, line, height: 1 }
    }
    case 'integer':
    case 'float':
      cursor.next()
      return { type: 'constant', value: number!, line, height: 1 }
    case 'lparen': {
      cursor.next()
      const inner = parseTuple(cursor, { isEnclosed: true })
      cursor.expect('rparen')
      return inner
    }
    case 'lbracket':
      return parseList(cursor)
    case 'lbrace':
      return parseDict(cursor)
    default:
      return failSyntax(`unexpected '${describeToken(cursor.current())}'`, line)
  }
}

/** Parses items up to a closing bracket, with an optional trailing comma. */
function parseItems(cursor: Cursor, end: string, parseItem: () => void): void {
  let isFirst = true
  while (!cursor.is(end)) {
    if (!isFirst) cursor.expect('comma')
    if (cursor.is(end)) break
    parseItem()
    isFirst = false
  }
  cursor.expect(end)
}

function parseList(cursor: Cursor): Expression {
  const { line } = cursor.next()
  const items: Expression[] = []
  parseItems(cursor, 'rbracket', () => items.push(parseExpression(cursor)))
  return { type: 'list', items, line, height: heightOf(line, items) }
}

function parseDict(cursor: Cursor): Expression {
  const { line } = cursor.next()
  const pairs: [Expression, Expression][] = []
  parseItems(cursor, 'rbrace', () => {
    const key = parseExpression(cursor)
    cursor.expect('colon')
    pairs.push([key, parseExpression(cursor)])
  })
  return { type: 'dict', pairs, line, height: heightOf(line, pairs.flat()) }
}

/** Parses the attributes, items and calls after an operand. */
export function parsePostfix(cursor: Cursor, operand: Expression): Expression {
  let node = operand
  for (;;) {
    if (cursor.is('dot')) node = parseAttribute(cursor, node)
    else if (cursor.is('lbracket')) node = parseItem(cursor, node)
    else if (cursor.is('lparen')) node = parseCall(cursor, node)
    else return node
  }
}

function parseAttribute(cursor: Cursor, object: Expression): Expression {
  const { line } = cursor.next()
  const height = heightOf(line, [object])
  const { type, value, number } = cursor.next()
  if (type === 'name') return { type: 'attribute', object, name: value, line, height }
  if (type !== 'integer') return failSyntax('expected a name or number after the dot', line)
  return { type: 'item', object, key: { type: 'constant', value: number!, line, height: 1 }, line, height }
}

function parseItem(cursor: Cursor, object: Expression): Expression {
  const { line } = cursor.next()
  const keys: Expression[] = []
  while (!cursor.is('rbracket')) {
    if (keys.length > 0) cursor.expect('comma')
    keys.push(parseKey(cursor))
  }
  cursor.expect('rbracket')
  const key: Expression =
    keys.length === 1 ? keys[0]! : { type: 'tuple', items: keys, line, height: heightOf(line, keys) }
  return { type: 'item', object, key, line, height: heightOf(line, [object, key]) }
}

function parseKey(cursor: Cursor): Expression {
  const { line } = cursor.current()
  const isEnd = (): boolean => cursor.is('colon') || cursor.is('rbracket') || cursor.is('comma')
  const start = cursor.is('colon') ? undefined : parseExpression(cursor)
  if (start !== undefined && !cursor.is('colon')) return start
  cursor.next()
  const stop = isEnd() ? undefined : parseExpression(cursor)
  const step = cursor.skipIf('colon') && !isEnd() ? parseExpression(cursor) : undefined
  return { type: 'slice', parts: [start, stop, step], line, height: heightOf(line, [start, stop, step]) }
}

function parseArguments(cursor: Cursor): CallArguments {
  const { line } = cursor.expect('lparen')
  const positional: Expression[] = []
  const named: [string, Expression][] = []
  const names = new Set<string>()
  let spread: Expression | undefined
  let spreadNamed: Expression | undefined
  const ensure = (isValid: boolean): void => {
    if (!isValid) failSyntax('invalid syntax for function call expression', line)
  }
  parseItems(cursor, 'rparen', () => {
    if (cursor.skipIf('mul')) {
      ensure(spread === undefined && spreadNamed === undefined)
      spread = parseExpression(cursor)
    } else if (cursor.skipIf('pow')) {
      ensure(spreadNamed === undefined)
      spreadNamed = parseExpression(cursor)
    } else if (cursor.is('name') && cursor.look().type === 'assign') {
      ensure(spreadNamed === undefined)
      const name = cursor.next().value
      cursor.next()
      if (names.has(name)) failSyntax(`keyword argument repeated: ${name}`, line)
      names.add(name)
      named.push([name, parseExpression(cursor)])
    } else {
      ensure(spread === undefined && spreadNamed === undefined && named.length === 0)
      positional.push(parseExpression(cursor))
    }
  })
  return { positional, named, spread, spreadNamed }
}

const partsOf = ({ positional, named, spread, spreadNamed }: CallArguments): readonly (Expression | undefined)[] => [
  ...positional,
  ...named.map(([, value]) => value),
  spread,
  spreadNamed,
]

function parseCall(cursor: Cursor, callee: Expression): Call {
  const { line } = cursor.current()
  const args = parseArguments(cursor)
  return { type: 'call', callee, args, line, height: heightOf(line, [callee, ...partsOf(args)]) }
}

const NONE: CallArguments = { positional: [], named: [], spread: undefined, spreadNamed: undefined }

function parseDotted(cursor: Cursor): string {
  let name = cursor.expect('name').value
  while (cursor.skipIf('dot')) name = concat(cursor.rt, `${name}.`, cursor.expect('name').value)
  return name
}

/** Parses the name and arguments of a filter. */
export function parseFilter(cursor: Cursor, operand: Expression | undefined): FilterNode {
  const { line } = cursor.current()
  const name = parseDotted(cursor)
  const args = cursor.is('lparen') ? parseArguments(cursor) : NONE
  return { type: 'filter', operand, name, args, line, height: heightOf(line, [operand, ...partsOf(args)]) }
}

const ARGUMENT = new Set(['name', 'string', 'integer', 'float', 'lparen', 'lbracket', 'lbrace'])

function testArguments(cursor: Cursor): CallArguments {
  if (cursor.is('lparen')) return parseArguments(cursor)
  if (!ARGUMENT.has(cursor.current().type) || cursor.is('name', 'else', 'or', 'and')) return NONE
  if (cursor.is('name', 'is')) failSyntax('You cannot chain multiple tests with is', cursor.current().line)
  return { ...NONE, positional: [parsePostfix(cursor, parsePrimary(cursor, false))] }
}

function parseTest(cursor: Cursor, operand: Expression): Expression {
  const { line } = cursor.next()
  const isNegated = cursor.skipIf('name', 'not')
  const name = parseDotted(cursor)
  const args = testArguments(cursor)
  const node: Expression = {
    type: 'test',
    operand,
    name,
    args,
    line,
    height: heightOf(line, [operand, ...partsOf(args)]),
  }
  return isNegated ? { type: 'unary', operator: 'not', operand: node, line, height: heightOf(line, [node]) } : node
}

/** Parses the filters, tests and calls after an operand. */
export function parseFilters(cursor: Cursor, operand: Expression): Expression {
  let node = operand
  for (;;) {
    if (cursor.skipIf('pipe')) node = parseFilter(cursor, node)
    else if (cursor.is('name', 'is')) node = parseTest(cursor, node)
    else if (cursor.is('lparen')) node = parseCall(cursor, node)
    else return node
  }
}
