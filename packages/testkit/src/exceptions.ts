import { type AnyPlugin, AttuneError, nearest, titleOf } from '@attune/core'
import { it } from './runner.js'

/**
 * Promises of the contracts that a technique may be unable to keep: for each kind, the names that a plugin may declare under
 * `exceptions` in its manifest, each with the promise that it waives. Kinds without an entry have no exceptions.
 */
export const EXCEPTIONS = {
  adapter: {
    initialFunction: 'initially, the adapted model computes the same function as the base model',
    merge: 'the merged parameters compute the same function in the base model',
    saved: 'a saved adapter has all parameters that were trained, from which training continues',
  },
  balancer: { imbalance: 'balancing reduces class imbalance' },
  model: {
    attentions: 'attention weights are returned on request for every layer',
    dropout: 'dropout is applied in training',
    gradients: 'every parameter has a non-zero gradient',
    packing: 'packed texts are encoded as each of them alone',
  },
  optimizer: {
    leastSquares: 'a least-squares problem with a matrix as its parameter is minimized',
    logistic: 'a logistic regression is minimized',
    parabola: 'a parabola is minimized',
    rosenbrock: 'the Rosenbrock function is minimized',
  },
  protocol: {
    complete: 'the splits of a fold cover all examples',
    crossValidation: 'over several folds, every example is validated once',
    stratified: 'with `stratifyBy`, every class keeps its proportion in the validation split',
  },
  pruner: { best: 'a trial that is better than all others is not pruned' },
  regularizer: { gradient: 'the gradient matches finite differences of the loss' },
  sampler: { complete: 'every example occurs once per epoch' },
  source: { badRows: 'a row that cannot be read stops reading, or is skipped with `onBadRow: skip`' },
  tokenizer: { decoding: 'decoded text is encoded to the same ids' },
  tuner: { random: 'another random stream leads to a different study' },
} as const satisfies Readonly<Record<string, Readonly<Record<string, string>>>>

/** Names of the exceptions of a kind. */
const namesOf = (kind: string): readonly string[] =>
  Object.keys((EXCEPTIONS as Readonly<Record<string, Readonly<Record<string, string>>>>)[kind] ?? {})

function requireException(plugin: AnyPlugin, exception: string): void {
  const { name: kind } = plugin.kind
  const names = namesOf(kind)
  if (names.includes(exception)) return
  const near = nearest(exception, names)
  throw new AttuneError(
    'UNKNOWN_EXCEPTION',
    `${titleOf(plugin)}: expected an exception to the contract of the kind ${kind} (${names.join(', ') || 'it has none'}), got "${exception}"`,
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `Remove "${exception}" from the manifest's exceptions.`,
  )
}

/**
 * Requires that a plugin declares only exceptions that its kind allows.
 * @throws AttuneError `UNKNOWN_EXCEPTION`
 */
export const requireExceptions = (plugin: AnyPlugin): void =>
  Object.keys(plugin.exceptions ?? {}).forEach((exception) => requireException(plugin, exception))

/**
 * Returns the reason why a plugin is excused from a promise of its contract; `undefined` if it must keep it.
 * @throws AttuneError `UNKNOWN_EXCEPTION` if the kind has no such exception
 */
export function exceptionOf(plugin: AnyPlugin, exception: string): string | undefined {
  requireException(plugin, exception)
  return plugin.exceptions?.[exception]
}

/** Appends a line to an error, in its message and stack: test runners show either. */
function extend(error: unknown, line: string): void {
  const known = error as { message?: unknown; stack?: unknown } | undefined
  if (typeof known?.message !== 'string') return
  const { message, stack } = known
  known.message = `${message}\n\n${line}`
  if (typeof stack === 'string') known.stack = stack.replace(message, () => `${message}\n\n${line}`)
}

/**
 * Runs the test of a promise that may be excused. A failure names the exception: the one to declare, or to remove if the plugin keeps
 * the promise after all.
 */
export async function checkPromise(
  plugin: AnyPlugin,
  exception: string,
  test: (reason: string | undefined) => unknown,
): Promise<void> {
  const reason = exceptionOf(plugin, exception)
  try {
    await test(reason)
  } catch (error) {
    const declared = reason === undefined ? `exceptions: { ${exception}: 'the reason' }` : `exceptions.${exception}`
    extend(
      error,
      reason === undefined
        ? `A technique that cannot keep this promise declares it in the manifest: ${declared}.`
        : `The manifest excuses the plugin from this promise. If the plugin keeps it, remove ${declared}.`,
    )
    throw error
  }
}

/**
 * Defines the test of a promise that may be excused: titled `kept`, or `excused` with the reason. `test` gets the reason and requires
 * that the promise is broken if there is one.
 */
export function itPromises(
  plugin: AnyPlugin,
  exception: string,
  { kept, excused }: { readonly kept: string; readonly excused: string },
  test: (reason: string | undefined) => unknown,
): void {
  const reason = plugin.exceptions?.[exception]
  it(reason === undefined ? kept : `${excused}: ${reason}`, () => checkPromise(plugin, exception, test))
}
