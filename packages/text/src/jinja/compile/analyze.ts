import type { Expression, Node, Statement, Target } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import { isExpression, namesOfTarget, operandsOf } from './children.js'
import { type Symbols, branchOf, declare, load, mergeBranches, store } from './symbols.js'

/** Records the names that an expression reads. */
export function analyzeExpression(rt: Runtime, symbols: Symbols, node: Expression): void {
  rt.spend(20)
  if (node.type === 'name' || node.type === 'namespace') load(symbols, node.name)
  else for (const operand of operandsOf(node)) analyzeExpression(rt, symbols, operand)
}

function analyzeTarget(symbols: Symbols, target: Target): void {
  if (target.type === 'namespace') load(symbols, target.name)
  else if (target.type === 'name') store(symbols, target.name)
  else for (const item of target.items) analyzeTarget(symbols, item as Target)
}

/** Records the names of a loop target, which are parameters of the loop body. */
export function declareTarget(symbols: Symbols, target: Target): void {
  for (const name of namesOfTarget(target)) declare(symbols, name)
}

function analyzeBranch(rt: Runtime, symbols: Symbols, nodes: readonly Node[]): Symbols {
  const branch = branchOf(symbols)
  analyze(rt, branch, nodes)
  return branch
}

/** Analyzes an `if`. Jinja2 treats all `elif` branches as one branch of nested `if` statements. */
function analyzeIf(rt: Runtime, symbols: Symbols, node: Extract<Statement, { type: 'if' }>): void {
  const [first, ...others] = node.branches
  analyzeExpression(rt, symbols, first!.test)
  const body = analyzeBranch(rt, symbols, first!.body)
  const elifs = branchOf(symbols)
  for (const { test, body: statements } of others) {
    analyzeExpression(rt, elifs, test)
    mergeBranches(rt, elifs, [analyzeBranch(rt, elifs, statements)])
  }
  mergeBranches(rt, symbols, [body, elifs, analyzeBranch(rt, symbols, node.otherwise)])
}

/** Records the names that a statement reads and assigns in its scope. */
function analyzeStatement(rt: Runtime, symbols: Symbols, node: Statement): void {
  const read = (expressions: readonly Expression[]): void => {
    for (const each of expressions) analyzeExpression(rt, symbols, each)
  }
  switch (node.type) {
    case 'output':
      return read(node.items)
    case 'for':
      return read([node.iterable])
    case 'if':
      return analyzeIf(rt, symbols, node)
    case 'macro':
      return store(symbols, node.name)
    case 'call-block':
      return read([node.call])
    case 'filter-block':
      return read([node.filter])
    case 'with':
      return read(node.assignments.map(([, value]) => value))
    case 'load':
      read([node.template])
      return node.names.forEach((name) => store(symbols, name))
    case 'assign':
      read([node.value])
      return analyzeTarget(symbols, node.target)
    case 'assign-block':
      return analyzeTarget(symbols, node.target)
    default:
  }
}

/** Records the names that nodes read and assign in their scope: Jinja2's `FrameSymbolVisitor`. */
export function analyze(rt: Runtime, symbols: Symbols, nodes: readonly Node[]): void {
  for (const node of nodes) {
    rt.spend(20)
    if (isExpression(node)) analyzeExpression(rt, symbols, node)
    else analyzeStatement(rt, symbols, node)
  }
}
