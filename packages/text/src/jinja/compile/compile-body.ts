import type { Statement } from '../parse/nodes.js'
import type { Runtime } from '../runtime.js'
import { DONE, type Frame, type Runnable } from './scope.js'

/** Compiles a sequence of statements. */
export function compileBody(frame: Frame, statements: readonly Statement[]): Runnable {
  const runs = statements.map((statement) => frame.compiler.statement(frame, statement))
  if (runs.length === 1) return runs[0]!
  return (a) => {
    for (const run of runs) {
      const signal = run(a)
      if (signal !== DONE) return signal
    }
    return DONE
  }
}

/** Begins a statement: sets the current line and charges for its expressions, each of which may create a small value. */
export function beginStatement(rt: Runtime, line: number, cost: number): void {
  rt.line = line
  rt.spend(cost)
  rt.hold(8 * cost)
}
