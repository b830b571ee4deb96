import type { CallArguments, Expression, Node } from '../parse/nodes.js'

const argumentsOf = ({ positional, named, spread, spreadNamed }: CallArguments): readonly Expression[] => [
  ...positional,
  ...named.map(([, value]) => value),
  ...[spread, spreadNamed].filter((each) => each !== undefined),
]

const present = (...nodes: readonly (Expression | undefined)[]): readonly Expression[] =>
  nodes.filter((node) => node !== undefined)

/** Operands of an expression. */
export function operandsOf(node: Expression): readonly Expression[] {
  switch (node.type) {
    case 'constant':
    case 'data':
    case 'name':
    case 'namespace':
      return []
    case 'tuple':
    case 'list':
    case 'concat':
      return node.items
    case 'dict':
      return node.pairs.flat()
    case 'conditional':
      return present(node.test, node.then, node.otherwise)
    case 'binary':
      return [node.left, node.right]
    case 'unary':
      return [node.operand]
    case 'compare':
      return [node.first, ...node.rest.map(([, operand]) => operand)]
    case 'attribute':
      return [node.object]
    case 'item':
      return [node.object, node.key]
    case 'slice':
      return present(...node.parts)
    case 'call':
      return [node.callee, ...argumentsOf(node.args)]
    case 'filter':
      return [...present(node.operand), ...argumentsOf(node.args)]
    case 'test':
      return [node.operand, ...argumentsOf(node.args)]
  }
}

/** Child nodes of a statement, in Jinja2's order of traversal, without assignment targets. */
export function partsOf(node: Exclude<Node, Expression>): readonly Node[] {
  switch (node.type) {
    case 'output':
      return node.items
    case 'for':
      return [node.iterable, ...node.body, ...node.otherwise, ...present(node.test)]
    case 'if':
      return [...node.branches.flatMap(({ test, body }): readonly Node[] => [test, ...body]), ...node.otherwise]
    case 'macro':
      return [...node.parameters.defaults, ...node.body]
    case 'call-block':
      return [node.call, ...node.parameters.defaults, ...node.body]
    case 'generation':
    case 'block':
      return node.body
    case 'filter-block':
      return [...node.body, node.filter]
    case 'with':
      return [...node.assignments.map(([, value]) => value), ...node.body]
    case 'load':
      return [node.template]
    case 'assign':
      return [node.value]
    case 'assign-block':
      return [...present(node.filter), ...node.body]
    case 'autoescape':
      return [node.value, ...node.body]
    case 'break':
    case 'continue':
      return []
  }
}

/** Names that an assignment target contains. */
export const namesOfTarget = (target: Expression): readonly string[] => {
  if (target.type === 'tuple') return target.items.flatMap(namesOfTarget)
  return target.type === 'name' ? [target.name] : []
}

/** Names that a statement itself assigns, including its parameters. */
export function assignedBy(node: Node): readonly string[] {
  switch (node.type) {
    case 'for':
    case 'assign':
    case 'assign-block':
      return namesOfTarget(node.target)
    case 'with':
      return node.assignments.flatMap(([target]) => namesOfTarget(target))
    case 'macro':
    case 'call-block':
      return node.parameters.names
    default:
      return []
  }
}

const EXPRESSIONS: ReadonlySet<Node['type']> = new Set([
  'constant',
  'data',
  'name',
  'namespace',
  'tuple',
  'list',
  'dict',
  'conditional',
  'binary',
  'unary',
  'concat',
  'compare',
  'attribute',
  'item',
  'slice',
  'call',
  'filter',
  'test',
])

/** True for expressions, false for statements. */
export const isExpression = (node: Node): node is Expression => EXPRESSIONS.has(node.type)

/** Child nodes of a node. */
export const childrenOf = (node: Node): readonly Node[] => (isExpression(node) ? operandsOf(node) : partsOf(node))
