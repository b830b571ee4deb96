import { failSyntax } from '../failure.js'
import type { For, Node } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import { collect, iterate } from '../values/iterate.js'
import { isTrue } from '../values/sequence.js'
import { END, type Pull, type Value, tuple } from '../values/value.js'
import { analyze, analyzeExpression, declareTarget } from './analyze.js'
import { assignedBy } from './children.js'
import { beginStatement, compileBody } from './compile-body.js'
import { compileExpression, costOf } from './compile-expression.js'
import { compileTarget } from './compile-target.js'
import { loopOf } from './loop.js'
import {
  type Activation,
  BREAK,
  DONE,
  type Frame,
  type Runnable,
  type Signal,
  ascend,
  descend,
  functionFrame,
  functionIn,
  innerFrame,
  scopeHooksOf,
  slotOfName,
} from './scope.js'
import { declare } from './symbols.js'
import { some, undeclared } from './undeclared.js'

/** Runs a loop over an iterable, in the activation that holds its variables. */
type RunLoop = (activation: Activation, iterable: Value, recurse: Recurse | undefined, depth: number) => Signal

/** Renders a recursive loop over another iterable. */
type Recurse = (rt: Runtime, iterable: Value, depth: number) => void

function hasLoopVariable(frame: Frame, node: For): boolean {
  return (
    node.isRecursive ||
    undeclared(frame.rt, node.body, ['loop']).size > 0 ||
    some(frame.rt, [node], (each: Node) => each.type === 'block' && each.isScoped)
  )
}

function refuseLoopTarget(frame: Frame, node: For): void {
  const assigns = (each: Node): boolean =>
    assignedBy(each).includes('loop') && each.type !== 'macro' && each.type !== 'call-block' && each.type !== 'with'
  if (some(frame.rt, [node], assigns)) failSyntax("Can't assign to special loop variable in for-loop target", node.line)
}

/** Compiles the condition of a loop to a filter of its items. */
function compileTest(frame: Frame, { target, test }: For): (activation: Activation, pull: Pull) => Pull {
  if (test === undefined) return (_, pull) => pull
  const inner = functionFrame(frame)
  declareTarget(inner.symbols, target)
  analyzeExpression(frame.rt, inner.symbols, test)
  const { enter } = scopeHooksOf(inner)
  const [assign, isKept] = [compileTarget(inner, target), compileExpression(inner, test)]
  const cost = 4 + costOf(frame.rt, test)
  return (outer, pull) => {
    const activation: Activation = { ...outer, slots: [], outer }
    enter(activation)
    return () => {
      for (let item = pull(); item !== END; item = pull()) {
        outer.rt.spend(cost)
        // A tuple target is unpacked here and again by the loop; an iterator can only be read once.
        const kept: Value = target.type === 'tuple' ? tuple(collect(outer.rt, item)) : item
        assign(activation, kept)
        if (isTrue(outer.rt, isKept(activation))) return kept
      }
      return END
    }
  }
}

function compileElse(frame: Frame, { otherwise }: For): Runnable {
  if (otherwise.length === 0) return () => DONE
  const inner = innerFrame(frame)
  analyze(frame.rt, inner.symbols, otherwise)
  const { enter, leave } = scopeHooksOf(inner)
  const run = compileBody(inner, otherwise)
  return (a) => {
    enter(a)
    const signal = run(a)
    leave(a)
    return signal
  }
}

/** Compiles the iterations of a loop, in the frame that holds its variables. */
function compileIterations(frame: Frame, outer: Frame, node: For): RunLoop {
  const inner: Frame = { ...innerFrame(frame), scope: frame.scope, isInLoop: true }
  const isExtended = hasLoopVariable(frame, node)
  if (isExtended) declare(inner.symbols, 'loop')
  declareTarget(inner.symbols, node.target)
  analyze(frame.rt, inner.symbols, node.body)
  refuseLoopTarget(frame, node)
  const kept = compileTest(outer, node)
  const { enter, leave } = scopeHooksOf(inner)
  const loopSlot = isExtended ? slotOfName(inner, 'loop').index : -1
  const assign = compileTarget(inner, node.target)
  const body = compileBody(inner, node.body)
  const otherwise = compileElse(frame, node)
  return (a, iterable, recurse, depth) => {
    const around = outer === frame ? a : a.outer!
    const pull = kept(around, iterate(a.rt, iterable))
    const sized = node.test === undefined ? iterable : undefined
    const loop = isExtended ? loopOf(a.rt, pull, sized, depth, recurse) : undefined
    const next = loop?.next ?? pull
    let isDone = false
    for (let item = next(); item !== END; item = next()) {
      a.rt.spend(8)
      a.rt.hold(16)
      assign(a, item)
      if (loop !== undefined) a.slots[loopSlot] = loop.value
      enter(a)
      const signal = body(a)
      if (signal === BREAK) break
      // Jinja2 treats a loop whose iterations all end early like an empty loop.
      isDone ||= signal === DONE
    }
    leave(a)
    return isDone ? DONE : otherwise(a)
  }
}

/** Compiles a recursive loop: its variables belong to a function of its own. */
function compileRecursive(frame: Frame, node: For): Runnable {
  const own: Frame = { ...frame, scope: functionIn(frame.scope), isTopLevel: false, isSoft: false, isInLoop: false }
  const turns = compileIterations(own, frame, node)
  const iterable = compileExpression(frame, node.iterable)
  const cost = 8 + costOf(frame.rt, node.iterable)
  return (outer) => {
    beginStatement(outer.rt, node.line, cost)
    const recurse: Recurse = (rt, value, depth) => {
      descend(rt, node.height)
      turns({ ...outer, slots: [], outer }, value, recurse, depth)
      ascend(rt, node.height)
    }
    recurse(outer.rt, iterable(outer), 0)
    return DONE
  }
}

/** Compiles a loop. */
export function compileFor(frame: Frame, node: For): Runnable {
  if (node.isRecursive) return compileRecursive(frame, node)
  const turns = compileIterations(frame, frame, node)
  const iterable = compileExpression(frame, node.iterable)
  const cost = 8 + costOf(frame.rt, node.iterable)
  return (a) => {
    beginStatement(a.rt, node.line, cost)
    return turns(a, iterable(a), undefined, 0)
  }
}
