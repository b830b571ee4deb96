import type { Value } from '../values/value.js'

/** Operators by their text. */
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

/** A word, operator or literal of a template, or its text between tags. */
export interface Token {
  /** `data`, `name`, `string`, `integer`, `float`, `block_begin`, … or the name of an operator. */
  readonly type: string
  /** Its text; of a string, what it stands for. */
  readonly value: string
  /** The number that a literal stands for. */
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

/** A type of token as error messages call it. */
export const describeType = (type: string): string =>
  Object.keys(OPERATORS).find((text) => OPERATORS[text] === type) ?? DESCRIPTIONS[type] ?? type

/** A token as error messages call it. */
export const describeToken = ({ type, value }: Token): string => (type === 'name' ? value : describeType(type))
