import { failSyntax, fail } from '../failure.js'
import type { Autoescape, Expression, FilterBlock, FilterNode, If, Output, Statement, With } from '../parse/nodes.js'
import { type Runtime, captureOutput, write } from '../runtime.js'
import { escapeHtml } from '../text/html.js'
import { isTrue } from '../values/sequence.js'
import { textOf } from '../values/text-of.js'
import { type Value, kindOf, markup, stringOf, typeName } from '../values/value.js'
import { analyze } from './analyze.js'
import { compileBlock } from './compile-block.js'
import { beginStatement, compileBody } from './compile-body.js'
import { compileCallOutput, filterOf } from './compile-call.js'
import { compileExpression, costOf } from './compile-expression.js'
import { compileFor } from './compile-for.js'
import { compileCallBlock, compileGeneration, compileMacro } from './compile-macro.js'
import { type AssignValue, compileExport, compileNamespaceCheck, compileTarget } from './compile-target.js'
import {
  type Activation,
  BREAK,
  CONTINUE,
  DONE,
  type Evaluate,
  type Frame,
  type Runnable,
  type Signal,
  innerFrame,
  scopeHooksOf,
} from './scope.js'
import { declare } from './symbols.js'

/** Output text of a value, escaped if autoescaping is on. */
function shownText(rt: Runtime, value: Value, isEscaped: boolean): string {
  if (!isEscaped) return textOf(rt, value)
  return kindOf(value) === 'markup' ? stringOf(value)! : escapeHtml(rt, textOf(rt, value))
}

type Write = (activation: Activation) => void

/** Compiles the output of a value. A macro call writes directly to the output, which avoids building its text first. */
function compileWrite(frame: Frame, node: Expression): Write {
  if (node.type === 'data') return ({ rt }) => write(rt, node.text)
  const { autoescape } = frame
  if (node.type === 'call' && autoescape === false) return compileCallOutput(frame, node)
  const evaluate = compileExpression(frame, node)
  return (a) => write(a.rt, shownText(a.rt, evaluate(a), autoescape ?? a.rt.autoescape))
}

function compileOutput(frame: Frame, { items, line }: Output): Runnable {
  const cost = items.reduce((sum, item) => sum + costOf(frame.rt, item), 4)
  const writes = items.map((item) => compileWrite(frame, item))
  if (writes.length === 1) {
    const [only] = writes as [Write]
    return (a) => {
      beginStatement(a.rt, line, cost)
      only(a)
      return DONE
    }
  }
  return (a) => {
    beginStatement(a.rt, line, cost)
    for (const each of writes) each(a)
    return DONE
  }
}

function compileIf(frame: Frame, { branches, otherwise, line }: If): Runnable {
  const soft: Frame = { ...frame, isSoft: true }
  const compiled = branches.map(({ test, body }) => ({
    cost: 2 + costOf(frame.rt, test),
    test: compileExpression(soft, test),
    run: compileBody(soft, body),
  }))
  const rest = compileBody(soft, otherwise)
  return (a) => {
    for (const { cost, test, run } of compiled) {
      beginStatement(a.rt, line, cost)
      if (isTrue(a.rt, test(a))) return run(a)
    }
    return rest(a)
  }
}

interface Captured {
  /** Runs the block and passes on its text, unless the block ends with a jump. */
  readonly run: (activation: Activation, use: (value: Value) => void) => Signal
}

/** Compiles a block whose output is used as a value. */
function compileCaptured(
  frame: Frame,
  statements: readonly Statement[],
  filter: FilterNode | undefined,
  isMarkup: (rt: Runtime) => boolean,
): Captured {
  const inner = innerFrame(frame)
  analyze(frame.rt, inner.symbols, filter === undefined ? statements : [...statements, filter])
  const { enter, leave } = scopeHooksOf(inner)
  const body = compileBody(inner, statements)
  const holder: { text: Value } = { text: '' }
  const filtered = filter === undefined ? undefined : filterChain(inner, filter, () => holder.text)
  return {
    run(a, use) {
      enter(a)
      let signal: Signal = DONE
      const text = captureOutput(a.rt, () => void (signal = body(a)))
      if (signal !== DONE) return signal
      holder.text = isMarkup(a.rt) ? markup(text) : text
      use(filtered === undefined ? holder.text : filtered(a))
      leave(a)
      return DONE
    },
  }
}

/** Compiles a filter chain whose innermost filter applies to a text. */
function filterChain(frame: Frame, node: FilterNode, text: Evaluate): Evaluate {
  const operand =
    node.operand === undefined
      ? text
      : node.operand.type === 'filter'
        ? filterChain(frame, node.operand, text)
        : compileExpression(frame, node.operand)
  return filterOf(frame, node, operand)
}

function compileFilterBlock(frame: Frame, { filter, body, line }: FilterBlock): Runnable {
  const cost = 4 + costOf(frame.rt, filter)
  const isMarkup = (rt: Runtime): boolean => frame.autoescape ?? rt.autoescape
  const { run } = compileCaptured(frame, body, filter, isMarkup)
  return (a) => {
    beginStatement(a.rt, line, cost)
    return run(a, (value) => {
      const text = stringOf(value)
      if (text === undefined)
        fail('TypeError', `a filter block must return a str, got a value of type ${typeName(value)}`)
      else write(a.rt, text)
    })
  }
}

function compileAssign(frame: Frame, node: Extract<Statement, { type: 'assign' }>): Runnable {
  const { target, value, line } = node
  const check = compileNamespaceCheck(frame, target)
  const evaluate = compileExpression(frame, value)
  const [assign, exported] = [compileTarget(frame, target), compileExport(frame, target)]
  const cost = 4 + costOf(frame.rt, value)
  return (a) => {
    beginStatement(a.rt, line, cost)
    check(a)
    assign(a, evaluate(a))
    exported(a)
    return DONE
  }
}

function compileAssignBlock(frame: Frame, node: Extract<Statement, { type: 'assign-block' }>): Runnable {
  const { target, filter, body, line } = node
  const assign: AssignValue = compileTarget(frame, target)
  const [check, exported] = [compileNamespaceCheck(frame, target), compileExport(frame, target)]
  const { run } = compileCaptured(frame, body, filter, () => false)
  return (a) => {
    beginStatement(a.rt, line, 4)
    return run(a, (value) => {
      check(a)
      const text = a.rt.autoescape && kindOf(value) !== 'markup' ? markup(textOf(a.rt, value)) : value
      assign(a, text)
      exported(a)
    })
  }
}

function compileWith(frame: Frame, { assignments, body, line }: With): Runnable {
  const inner = innerFrame(frame)
  for (const [target] of assignments) declareParameters(inner, target)
  analyze(frame.rt, inner.symbols, body)
  const { enter, leave } = scopeHooksOf(inner)
  const assigned = assignments.map(([target, value]) => ({
    assign: compileTarget(inner, target),
    value: compileExpression(frame, value),
  }))
  const cost = assignments.reduce((sum, [, value]) => sum + costOf(frame.rt, value), 4)
  const run = compileBody(inner, body)
  return (a) => {
    beginStatement(a.rt, line, cost)
    enter(a)
    for (const { assign, value } of assigned) assign(a, value(a))
    const signal = run(a)
    leave(a)
    return signal
  }
}

const declareParameters = ({ symbols }: Frame, target: Expression): void => {
  if (target.type === 'name') declare(symbols, target.name)
  else if (target.type === 'tuple') for (const item of target.items) declareParameters({ symbols } as Frame, item)
}

function compileAutoescape(frame: Frame, { value, body, line }: Autoescape): Runnable {
  const inner = innerFrame(frame)
  analyze(frame.rt, inner.symbols, [value, ...body])
  const { enter, leave } = scopeHooksOf(inner)
  const isOn = compileExpression(inner, value)
  const known = value.type === 'constant' ? value.value : undefined
  const autoescape =
    value.type === 'constant' ? known !== null && known !== false && known !== 0 && known !== '' : undefined
  const run = compileBody({ ...inner, autoescape }, body)
  return (a) => {
    beginStatement(a.rt, line, 4)
    enter(a)
    const before = a.rt.autoescape
    a.rt.autoescape = isTrue(a.rt, isOn(a))
    const signal = run(a)
    a.rt.autoescape = before
    leave(a)
    return signal
  }
}

/**
 * Compiles a statement.
 * @throws SyntaxError with the line of a statement that is invalid in its context
 */
export function compileStatement(frame: Frame, node: Statement): Runnable {
  switch (node.type) {
    case 'output':
      return compileOutput(frame, node)
    case 'for':
      return compileFor(frame, node)
    case 'if':
      return compileIf(frame, node)
    case 'macro':
      return compileMacro(frame, node)
    case 'call-block':
      return compileCallBlock(frame, node)
    case 'generation':
      return compileGeneration(frame, node)
    case 'filter-block':
      return compileFilterBlock(frame, node)
    case 'with':
      return compileWith(frame, node)
    case 'block':
      return compileBlock(frame, node)
    case 'assign':
      return compileAssign(frame, node)
    case 'assign-block':
      return compileAssignBlock(frame, node)
    case 'autoescape':
      return compileAutoescape(frame, node)
    case 'load':
      return ({ rt }) => {
        rt.line = node.line
        return fail('TypeError', `{% ${node.tag} %} loads another template, which is not supported in chat templates`)
      }
    case 'break':
    case 'continue':
      if (!frame.isInLoop) failSyntax(`'${node.type}' outside loop`, node.line)
      return node.type === 'break' ? () => BREAK : () => CONTINUE
  }
}
