import type { Value } from '../values/value.js'

/** Token types of operators. */
export const OPERATORS: Readonly<Record<string, string>> = {
  '+': 'add',
  '-': 'sub',
  '/': 'div',
  '//': 'floordiv',
  '*': 'mul',
  '%': 'mod',
  '**': 'pow',
  '~': 'tilde',
  '[': 'lbracket',
  ']': 'rbracket',
  '(': 'lparen',
  ')': 'rparen',
  '{': 'lbrace',
  '}': 'rbrace',
  '==': 'eq',
  '!=': 'ne',
  '>': 'gt',
  '>=': 'gteq',
  '<': 'lt',
  '<=': 'lteq',
  '=': 'assign',
  '.': 'dot',
  ':': 'colon',
  '|': 'pipe',
  ',': 'comma',
  ';': 'semicolon',
}

/** A token: a name, operator or literal of a tag, or text between tags. */
export interface Token {
  /** `data`, `name`, `string`, `integer`, `float`, `block_begin`, … or the name of an operator. */
  readonly type: string
  /** Its text; for a string literal, its value. */
  readonly value: string
  /** Value of a number literal. */
  readonly number?: Value
  readonly line: number
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  block_begin: 'begin of statement block',
  block_end: 'end of statement block',
  variable_begin: 'begin of print statement',
  variable_end: 'end of print statement',
  data: 'template data / text',
  eof: 'end of template',
}

/** Name of a token type in error messages. */
export const describeType = (type: string): string =>
  Object.keys(OPERATORS).find((text) => OPERATORS[text] === type) ?? DESCRIPTIONS[type] ?? type

/** Description of a token in error messages. */
export const describeToken = ({ type, value }: Token): string => (type === 'name' ? value : describeType(type))
