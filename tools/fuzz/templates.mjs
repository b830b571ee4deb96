// @ts-check
/** Generates chat templates from the Jinja grammar: statements and expressions over a few variables that feed one another. */
import { below, magnitude, pick } from './random.mjs'

/** @import { Random } from './random.mjs' */

const TEXTS = ['x', 'y', 'ns.s', 'ns.s', 'messages[0].content', 'messages[1].role', 'bos_token']
const LITERALS = ["'a'", "'a '", "' '", "''", "'ab'", "'\\n'", "'<|im_end|>'", "'é'"]
const LISTS = ['messages', 'ns.l', 'ns.l', '[1, 2]', '[]']
const TEXT_FILTERS = ['upper', 'lower', 'title', 'capitalize', 'trim', 'string', 'tojson', 'indent(4)', 'indent(1000)']
const TEXT_METHODS = ['upper()', 'title()', 'lower()', 'strip()', 'lstrip()', 'rstrip()', 'capitalize()']
const LIST_FILTERS = ['list', 'reverse', 'sort', 'unique', 'string | list', "map('string') | list"]
const MESSAGE_LISTS = [
  "messages | selectattr('role', 'equalto', 'user') | list",
  "messages | rejectattr('role', 'equalto', 'user') | list",
  "messages | map(attribute='content') | list",
  'messages[0] | items',
  'messages[0] | dictsort',
  'messages[0].keys()',
]
const SLICES = ['[1:]', '[:-1]', '[::-1]', '[1000:]', '[::2]', '[:100000]']

/** Maximum nesting of expressions, and of statements. */
const [DEEPEST_EXPRESSION, DEEPEST_STATEMENT] = [3, 4]

/** A random integer up to the longest range that the sandbox allows. @param {Random} random */
const integer = (random) => String(magnitude(1, 100_000, random))

/** @param {Random} random @param {number} [depth] @returns {string} */
function text(random, depth = 0) {
  if (depth > DEEPEST_EXPRESSION) return pick(random() < 0.7 ? TEXTS : LITERALS, random)
  const inner = () => text(random, depth + 1)
  switch (below(10, random)) {
    case 0:
    case 1:
      return `(${inner()} ~ ${inner()})`
    case 2:
      return `(${inner()} | ${pick(TEXT_FILTERS, random)})`
    case 3:
      return `${pick(TEXTS, random)}.${pick(TEXT_METHODS, random)}`
    case 4:
      return `(${inner()} | replace(${inner()}, ${inner()}))`
    case 5:
      return `(${list(random, depth + 1)} | join(${inner()}))`
    case 6:
      return `(${inner()})${pick(SLICES, random)}`
    case 7:
      return `(${inner()} if ${condition(random, depth + 1)} else ${inner()})`
    case 8:
      return `(${list(random, depth + 1)} | tojson)`
    default:
      return pick(random() < 0.7 ? TEXTS : LITERALS, random)
  }
}

/** @param {Random} random @param {number} depth @returns {string} */
function list(random, depth) {
  if (depth > DEEPEST_EXPRESSION) return pick(LISTS, random)
  const inner = () => list(random, depth + 1)
  switch (below(9, random)) {
    case 0:
      return `range(${random() < 0.7 ? integer(random) : number(random, depth + 1)})`
    case 1:
      return `(${text(random, depth + 1)}).split(${random() < 0.4 ? '' : text(random, depth + 1)})`
    case 2:
      return `[${text(random, depth + 1)}, ${inner()}]`
    case 3:
      return `(${inner()} + ${inner()})`
    case 4:
      return `(${inner()} | ${pick(LIST_FILTERS, random)})`
    case 5:
      return `(${inner()})${pick(SLICES, random)}`
    case 6:
      return `(${pick(MESSAGE_LISTS, random)})`
    default:
      return pick(LISTS, random)
  }
}

/** @param {Random} random @param {number} depth */
const number = (random, depth) =>
  pick([integer(random), `(${text(random, depth)} | length)`, `(${list(random, depth)} | length)`], random)

/** @param {Random} random @param {number} [depth] @returns {string} */
function condition(random, depth = 0) {
  const [t, l] = [() => text(random, depth + 1), () => list(random, depth + 1)]
  switch (below(7, random)) {
    case 0:
    case 1:
      return `${t()} in ${t()}`
    case 2:
      return `${random() < 0.5 ? t() : number(random, depth + 1)} in ${l()}`
    case 3:
      return `${t()} ${pick(['==', '!='], random)} ${t()}`
    case 4:
      return `${t()}.${pick(['startswith', 'endswith'], random)}(${t()})`
    case 5:
      return depth > DEEPEST_EXPRESSION ? 'true' : `${condition(random, depth + 1)} and ${condition(random, depth + 1)}`
    default:
      return `${number(random, depth + 1)} ${pick(['<', '>=', '=='], random)} ${number(random, depth + 1)}`
  }
}

/** An assignment that makes the variable longer, or nests it in itself. @param {Random} random */
const growth = (random) =>
  pick(
    [
      '{% set ns.s = ns.s ~ ns.s %}',
      `{% set ns.s = ns.s ~ ${text(random, DEEPEST_EXPRESSION)} %}`,
      '{% set ns.l = ns.l + ns.l %}',
      '{% set ns.l = [ns.l, ns.l] %}',
      "{% set ns.s = ns.s | replace('a', 'aa') %}",
      '{% set ns.l = ns.l + [ns.s] %}',
    ],
    random,
  )

/** @param {Random} random @param {number} depth @returns {string} */
function statement(random, depth) {
  const body = () => statements(random, depth + 1)
  switch (below(depth > DEEPEST_STATEMENT ? 5 : 9, random)) {
    case 0:
      return `{{ ${text(random)} }}`
    case 1:
      return `{% set ${pick(['x', 'y', 'ns.s'], random)} = ${text(random)} %}`
    case 2:
      return `{% set ns.l = ${list(random, 0)} %}`
    case 3:
      return growth(random)
    case 4:
      return `{% if ${condition(random)} %}{% endif %}`
    case 5:
      return `{% for i in range(${integer(random)}) %}${body()}{% endfor %}`
    case 6:
      return `{% for m in ${list(random, 0)} %}{% if m in ns.l %}{% endif %}${body()}{% endfor %}`
    case 7:
      return `{% if ${condition(random)} %}${body()}{% else %}${body()}{% endif %}`
    default:
      return random() < 0.5
        ? `{% macro f(x) %}${body()}{% endmacro %}{{ f(${text(random)}) }}`
        : `{% generation %}${body()}{% endgeneration %}`
  }
}

/** @param {Random} random @param {number} depth */
const statements = (random, depth) =>
  Array.from({ length: magnitude(1, 4, random) }, () => statement(random, depth)).join('')

/** A chat template. Usually a text or a list is made long first. @param {Random} random @returns {string} */
export function madeTemplate(random) {
  const doubled =
    random() < 0.6 ? `{% for i in range(${magnitude(1, 24, random)}) %}{% set ns.s = ns.s ~ ns.s %}{% endfor %}` : ''
  const listed = random() < 0.4 ? `{% set ns.l = range(${integer(random)}) %}` : ''
  const [s, y] = [pick(LITERALS, random), pick(LITERALS, random)]
  return `{% set ns = namespace(s=${s}, l=[]) %}{% set x = 'a' %}{% set y = ${y} %}${doubled}${listed}${statements(random, 0)}`
}
