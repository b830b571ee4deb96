import { Environment, Interpreter, parse, tokenize } from '@huggingface/jinja'

/** A node of a parsed template, as far as it is looked at. */
interface Node {
  readonly type: string
  readonly [part: string]: unknown
}

/** A value of a template while it runs. */
interface Value {
  readonly type: string
  readonly value: unknown
}

type Statement = Parameters<Interpreter['evaluate']>[0]

/** What a template may do at most. A conversation of two thousand turns needs a tenth of it. */
const MOST = {
  /** Expressions and statements that are run. */
  steps: 1_000_000,
  /** Characters and entries of one value, all that it contains counted as often as it is in it. */
  size: 8_000_000,
  /** The sizes of all values that are made, together. */
  made: 128_000_000,
  /** What one call may make of its operand and arguments at the very most. */
  product: 50_000_000,
  /** Numbers of a range; as many as Jinja's sandbox allows. */
  range: 100_000,
}

/** What a turn of a loop counts for, which needs memory before the first one begins. */
const TURN = 64

/** The functions whose result may be as long as their operand and an argument multiplied. */
const MULTIPLYING = new Set(['replace', 'join', 'indent', 'tojson'])
/** The nodes that give a value that was there before. */
const READING = new Set(['Identifier', 'MemberExpression', 'StringLiteral', 'IntegerLiteral', 'FloatLiteral'])

const tooMuch = (what: string): never => {
  throw new Error(`it ${what}, more than a template may`)
}

function range(start: number, stop?: number, step = 1): number[] {
  const [from, to] = stop === undefined ? [0, start] : [start, stop]
  const length = Math.max(0, Math.ceil((to - from) / step))
  if (!(length <= MOST.range)) tooMuch(`counts from ${from} to ${to} in steps of ${step}`)
  return Array.from({ length }, (_, i) => from + i * step)
}

/** The size of values. Sizes of containers are remembered until one may have changed. */
function sizes() {
  let known = new WeakMap<object, number>()
  const sum = (parts: readonly Value[]): number => parts.reduce((total, part) => total + sizeOf(part), parts.length)
  const sizeOf = (given: Value): number => {
    const { type, value } = given
    if (typeof value === 'string') return value.length
    if (type === 'IntegerValue' || typeof value !== 'object' || value === null) return 1
    const found = known.get(given)
    if (found !== undefined) return found
    const size =
      value instanceof Map
        ? sum([...(value as Map<string, Value>).values()]) + [...value.keys()].join('').length
        : sum(value as Value[])
    known.set(given, size)
    return size
  }
  return { sizeOf, forget: () => void (known = new WeakMap()) }
}

const nodes = (found: unknown): readonly Node[] => (Array.isArray(found) ? (found as Node[]) : [])
/** What an argument is, whether it stands there by itself, under a name, or is to be spread. */
const argumentsIn = (list: unknown): readonly Node[] =>
  nodes(list).map((each) =>
    each.type === 'KeywordArgumentExpression'
      ? (each['value'] as Node)
      : each.type.endsWith('SpreadExpression')
        ? (each['argument'] as Node)
        : each,
  )

/** What may be multiplied in a node: what is called on, and the arguments; nothing where none of it is. */
function factorsIn(node: Node): readonly (readonly Node[])[] {
  const multiplies = (name: unknown): boolean => MULTIPLYING.has(String((name as Node)['value']))
  if (node.type === 'FilterExpression' || node.type === 'FilterStatement') {
    const filter = node['filter'] as Node
    if (filter.type !== 'CallExpression' || !multiplies(filter['callee'])) return []
    const operand = node.type === 'FilterStatement' ? nodes(node['body']) : [node['operand'] as Node]
    return [operand, argumentsIn(filter['args'])]
  }
  const callee = node['callee'] as Node | undefined
  if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression') return []
  const computed = callee['computed'] === true && (callee['property'] as Node).type !== 'StringLiteral'
  return computed || multiplies(callee['property']) ? [[callee['object'] as Node], argumentsIn(node['args'])] : []
}

/** Counts what a template does, and stops it when that is too much. */
function meter() {
  const { sizeOf, forget } = sizes()
  let [steps, made] = [0, 0]
  /** For each part of a call that multiplies, the sizes of the call's parts so far, and which of them it belongs to. */
  const factors = new WeakMap<Node, { readonly sizes: number[]; readonly at: number }>()
  const [iterables, callees] = [new WeakSet<Node>(), new WeakSet<Node>()]
  const make = (size: number): void => {
    made += size
    if (made > MOST.made) tooMuch(`makes values of ${made} characters or entries`)
  }
  const multiply = (node: Node, { type, value }: Value, size: number): void => {
    const factor = factors.get(node)
    if (factor === undefined) return
    factor.sizes[factor.at]! += type === 'IntegerValue' ? Math.abs(value as number) : size
    const product = factor.sizes.reduce((a, b) => a * b, 1)
    if (product > MOST.product) tooMuch(`replaces, joins or indents up to ${product} characters`)
  }
  return {
    before(node: Node): void {
      if (++steps > MOST.steps) tooMuch(`takes ${MOST.steps} steps`)
      const counted = [1, 1]
      for (const [at, parts] of factorsIn(node).entries())
        for (const part of parts) factors.set(part, { sizes: counted, at })
      if (node.type === 'For') iterables.add(node['iterable'] as Node)
      if (node.type === 'CallExpression') callees.add(node['callee'] as Node)
    },
    after(node: Node, value: Value): void {
      const size = sizeOf(value)
      if (size > MOST.size) tooMuch(`makes a value of ${size} characters or entries`)
      if (!READING.has(node.type)) make(size)
      if (iterables.has(node) && Array.isArray(value.value)) make(TURN * value.value.length)
      // One could be called later, when nothing tells what it is a function of.
      if (value.type === 'FunctionValue' && node.type === 'MemberExpression' && !callees.has(node))
        tooMuch('keeps a function of a value')
      multiply(node, value, size)
      if (node.type === 'Set') forget()
    },
  }
}

const month = (date: Date, length: 'short' | 'long'): string => date.toLocaleString('en-US', { month: length })

/** The time as Python writes it; what is not known stays. */
function now(format: string): string {
  const date = new Date()
  const two = (value: number): string => String(value).padStart(2, '0')
  const parts: Readonly<Record<string, string>> = {
    '%Y': String(date.getFullYear()),
    '%m': two(date.getMonth() + 1),
    '%d': two(date.getDate()),
    '%b': month(date, 'short'),
    '%B': month(date, 'long'),
    '%H': two(date.getHours()),
    '%M': two(date.getMinutes()),
    '%S': two(date.getSeconds()),
    '%%': '%',
  }
  return format.replace(/%./g, (part) => parts[part] ?? part)
}

const globals = {
  true: true,
  false: false,
  none: null,
  True: true,
  False: false,
  None: null,
  range,
  strftime_now: now,
  raise_exception(message: string): never {
    throw new Error(message)
  },
}

/**
 * Renders a Jinja template as the library's `Template` does, within bounds of time and memory: a template comes with a model
 * from anywhere, and some could fill the memory or never end.
 * @throws Error if the template is none, refuses its variables, or does more than it may
 */
export function renderBounded(template: string, variables: Readonly<Record<string, unknown>>): string {
  const program = parse(tokenize(template, { lstrip_blocks: true, trim_blocks: true }))
  const environment = new Environment()
  for (const [name, value] of Object.entries({ ...globals, ...variables })) environment.set(name, value)
  const interpreter = new Interpreter(environment)
  const evaluate = interpreter.evaluate.bind(interpreter)
  const { before, after } = meter()
  interpreter.evaluate = (statement: Statement, scope: Environment) => {
    if (statement === undefined) return evaluate(statement, scope)
    const node = statement as unknown as Node
    before(node)
    const value = evaluate(statement, scope)
    after(node, value)
    return value
  }
  return interpreter.run(program).value as string
}
