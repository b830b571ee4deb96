import { failSyntax } from '../failure.js'
import type { Runtime } from '../runtime.js'
import type { Expression, Statement } from './nodes.js'
import { type Token, describeToken, describeType } from './token.js'

/** Maximum nesting of syntax: brackets and blocks count four, prefix operators one. */
const MAXIMUM_DEPTH = 400
/** Maximum height of a syntax tree, including chains of operators, filters and attributes. */
export const MAXIMUM_HEIGHT = 200

/** Options of a comma-separated list of expressions. */
export interface TupleOptions {
  /** True if it is in parentheses, and may be empty. */
  readonly isEnclosed?: boolean
  /** True if its items are assignment targets. */
  readonly isTarget?: boolean
  /** True if targets may be attributes of namespaces. */
  readonly hasNamespaces?: boolean
  /** False if conditionals (`a if b`) are not allowed. */
  readonly hasConditionals?: boolean
  /** The keyword that ends it. */
  readonly end?: string
}

/** Statements up to an end tag. */
export interface Body {
  readonly statements: readonly Statement[]
  /** The tag that ended them. */
  readonly end: string
  readonly height: number
}

/** Parsers of recursive syntax. Parsers of its parts call them through the cursor, which avoids cyclic imports. */
export interface Grammar {
  readonly expression: (cursor: Cursor) => Expression
  readonly tuple: (cursor: Cursor, options?: TupleOptions) => Expression
  /** Parses statements from the end of a tag to one of the end tags. */
  readonly body: (cursor: Cursor, ends: readonly string[]) => Body
}

/** Reads the tokens of a template in order. */
export interface Cursor {
  readonly rt: Runtime
  readonly grammar: Grammar
  current(): Token
  /** The token after the current one. */
  look(): Token
  /** Advances to the next token and returns the previous one. */
  next(): Token
  /** True if the current token has this type and, if values are given, one of them. */
  is(type: string, ...values: readonly string[]): boolean
  /** Advances if the current token matches; returns true if it does. */
  skipIf(type: string, value?: string): boolean
  /** Advances and returns the current token. @throws SyntaxError unless it matches */
  expect(type: string, value?: string): Token
  /** Parses nested syntax. @throws SyntaxError if it is nested too deeply */
  nested<T>(weight: number, parse: () => T): T
}

function failExpected(token: Token, expected: string): never {
  const problem =
    token.type === 'eof'
      ? `unexpected end of template, expected '${expected}'`
      : `expected '${expected}', got '${describeToken(token)}'`
  return failSyntax(problem, token.line)
}

/** Creates a cursor at the first token; the last token is `eof`. */
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
 * Height of a node with these parts.
 * @throws SyntaxError with the line if the node is too high for recursive compilation
 */
export function heightOf(line: number, parts: readonly ({ readonly height: number } | undefined)[]): number {
  let height = 0
  for (const part of parts) if (part !== undefined && part.height > height) height = part.height
  return height < MAXIMUM_HEIGHT ? height + 1 : failSyntax('the template is nested too deeply', line)
}
