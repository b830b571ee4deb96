import { failSyntax } from '../failure.js'
import type { Runtime } from '../runtime.js'
import type { Expression, Statement } from './nodes.js'
import { type Token, describeToken, describeType } from './token.js'

/** Nested syntax at most: brackets and blocks count four, operators before their operand one. */
const MAXIMUM_DEPTH = 400
/** Levels of a syntax tree at most, chains of operators, filters and attributes included. */
export const MAXIMUM_HEIGHT = 200

/** What a list of expressions without brackets may be. */
export interface TupleOptions {
  /** True if it stands between parentheses, so that it may be empty. */
  readonly isEnclosed?: boolean
  /** True if its items are names, to be assigned to. */
  readonly isTarget?: boolean
  /** True if the names may be attributes of namespaces. */
  readonly hasNamespaces?: boolean
  /** False if conditionals (`a if b`) are not part of it. */
  readonly hasConditionals?: boolean
  /** The word that ends it. */
  readonly end?: string
}

/** Statements up to a tag that ends them. */
export interface Body {
  readonly statements: readonly Statement[]
  /** The tag that ended them. */
  readonly end: string
  readonly height: number
}

/** Parsers of syntax that nests in itself. The parsers of its parts reach them through the cursor, and need not import them. */
export interface Grammar {
  readonly expression: (cursor: Cursor) => Expression
  readonly tuple: (cursor: Cursor, options?: TupleOptions) => Expression
  /** Parses statements from the end of a tag to one of these tags. */
  readonly body: (cursor: Cursor, ends: readonly string[]) => Body
}

/** Reads the tokens of a template one after the other. */
export interface Cursor {
  readonly rt: Runtime
  readonly grammar: Grammar
  current(): Token
  /** The token after the current one. */
  look(): Token
  /** Goes one token ahead, and returns the one that was current. */
  next(): Token
  /** True if the current token is of a type, and of names has one of the values. */
  is(type: string, ...values: readonly string[]): boolean
  /** Goes one token ahead if the current one is this; true if so. */
  skipIf(type: string, value?: string): boolean
  /** @throws SyntaxError unless the current token is this */
  expect(type: string, value?: string): Token
  /** Parses what is nested in other syntax. */
  nested<T>(weight: number, parse: () => T): T
}

function failExpected(token: Token, expected: string): never {
  const problem =
    token.type === 'eof'
      ? `unexpected end of template, expected '${expected}'`
      : `expected '${expected}', got '${describeToken(token)}'`
  return failSyntax(problem, token.line)
}

/** Makes a cursor at the first token; the last one is `eof`. */
export function cursorOf(rt: Runtime, tokens: readonly Token[], grammar: Grammar): Cursor {
  let [at, depth] = [0, 0]
  const current = (): Token => tokens[at]!
  const is = (type: string, ...values: readonly string[]): boolean =>
    current().type === type && (values.length === 0 || values.includes(current().value))
  const next = (): Token => {
    const token = current()
    rt.spend(40)
    rt.hold(200)
    if (token.type !== 'eof') at++
    return token
  }
  return {
    rt,
    grammar,
    current,
    look: () => tokens[Math.min(at + 1, tokens.length - 1)]!,
    next,
    is,
    skipIf(type, value) {
      const isIt = value === undefined ? is(type) : is(type, value)
      if (isIt) next()
      return isIt
    },
    expect(type, value) {
      if (value === undefined ? is(type) : is(type, value)) return next()
      return failExpected(current(), value ?? describeType(type))
    },
    nested(weight, parse) {
      depth += weight
      if (depth > MAXIMUM_DEPTH) failSyntax('the template is nested too deeply', current().line)
      const parsed = parse()
      depth -= weight
      return parsed
    },
  }
}

/**
 * The height of a node with these parts.
 * @throws SyntaxError at the line for one that is too high to be compiled by recursion
 */
export function heightOf(line: number, parts: readonly ({ readonly height: number } | undefined)[]): number {
  let height = 0
  for (const part of parts) if (part !== undefined && part.height > height) height = part.height
  return height < MAXIMUM_HEIGHT ? height + 1 : failSyntax('the template is nested too deeply', line)
}
