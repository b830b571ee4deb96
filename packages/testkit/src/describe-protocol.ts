import { type AnyPlugin, type Fold, type Protocol, isAttuneError, key, stream } from '@attune/core'
import { describeOptions } from './describe-options.js'
import { checkPromise, itPromises } from './exceptions.js'
import { describe, expect, it } from './runner.js'

/** Class names by example: class sizes that no fraction divides evenly, and multiples. */
const datasets: readonly (readonly string[])[] = [
  [7, 5],
  [10, 10, 10],
  [61, 30, 9],
  [3, 3, 3, 2],
  [200, 2],
  [17, 29, 31, 23],
].map((sizes) => {
  const largest = Math.max(...sizes)
  // Interleaved, so that no split by position alone has the class proportions.
  return Array.from({ length: largest }, (_, row) =>
    sizes.flatMap((size, c) => (row < size ? [`class ${c}`] : [])),
  ).flat()
})

const ascending = (positions: readonly number[]): number[] => [...positions].sort((a, b) => a - b)
const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i)

function expectSplits(folds: readonly Fold[], count: number, complete: boolean): void {
  expect(folds.length).toBeGreaterThan(0)
  for (const { train, validation, test = [] } of folds) {
    const together = ascending([...train, ...validation, ...test])
    expect(new Set(together).size).toBe(together.length)
    expect(together.filter((i) => !Number.isInteger(i) || i < 0 || i >= count)).toEqual([])
    if (complete) expect(together).toEqual(range(count))
    expect(train.length).toBeGreaterThan(0)
    expect(validation.length).toBeGreaterThan(0)
  }
}

/**
 * Largest deviation of a class from its proportion of the validation split, in examples, beyond that caused by rounding the split to
 * an integer. Proportions are of all examples whose class has more than one example; single ones cannot be stratified.
 */
function largestDeviation({ validation }: Fold, groups: readonly string[]): number {
  const tally = (names: readonly string[]): Map<string, number> => {
    const counts = new Map<string, number>()
    for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
    return counts
  }
  const sizes = new Map([...tally(groups)].filter(([, size]) => size > 1))
  const held = tally(validation.map((i) => groups[i]!).filter((name) => sizes.has(name)))
  const count = [...sizes.values()].reduce((sum, size) => sum + size, 0)
  const total = [...held.values()].reduce((sum, n) => sum + n, 0)
  const off = (name: string, size: number): number => Math.abs((held.get(name) ?? 0) - (total * size) / count)
  return Math.max(...[...sizes].map(([name, size]) => off(name, size) - size / count))
}

/**
 * Requires of several folds together: every example is validated once, and the fold sizes differ by at most one, unless groups are
 * kept whole.
 */
function expectCrossValidation(
  folds: readonly Fold[],
  count: number,
  groups: readonly string[],
  keepsWhole: boolean,
): void {
  if (folds.length < 2) return
  expect(ascending(folds.flatMap(({ validation }) => validation))).toEqual(range(count))
  const sizes = folds.map(({ validation }) => validation.length)
  if (!keepsWhole) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1)
  else
    for (const { train, validation } of folds) {
      const trained = new Set(train.map((i) => groups[i]))
      expect(validation.filter((i) => groups[i] !== undefined && trained.has(groups[i]))).toEqual([])
    }
}

/** Returns the folds, or `undefined` if the protocol rejects the data with a code and a remedy. */
function splitOrReject(protocol: Protocol, count: number, groups: readonly string[]): readonly Fold[] | undefined {
  try {
    return protocol.split(count, groups, stream(key(5)))
  } catch (error) {
    if (!isAttuneError(error)) throw error
    expect(error.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/)
    expect(error.remedy).toMatch(/\w/)
    return undefined
  }
}

/**
 * Contract of a protocol. One that leaves examples out of a fold states `exceptions: { complete: reason }` in its manifest; one that
 * has `stratifyBy` and does not keep class proportions, `stratified`; one whose folds do not validate every example once,
 * `crossValidation`.
 * @param keepsWhole true if `stratifyBy` names groups that these options keep whole. Default: false
 */
export function describeProtocol(
  plugin: AnyPlugin,
  options: Readonly<Record<string, unknown>> = {},
  { keepsWhole = false }: { readonly keepsWhole?: boolean } = {},
): void {
  const complete = plugin.exceptions?.['complete']
  const make = (): Protocol => plugin(options) as Protocol

  describe(`protocol ${plugin.name}`, () => {
    describeOptions(plugin, options)

    it(`returns disjoint splits of valid indices${complete === undefined ? ' that cover all examples' : ` (${complete})`}`, () =>
      checkPromise(plugin, 'complete', () => {
        for (const groups of datasets)
          for (const known of [groups, []]) {
            // Fewer groups than folds cannot be kept whole.
            const folds = keepsWhole
              ? splitOrReject(make(), groups.length, known)
              : make().split(groups.length, known, stream(key(groups.length)))
            if (folds !== undefined) expectSplits(folds, groups.length, complete === undefined)
          }
      }))

    it('returns the same splits for the same random stream, and does not modify the classes', () => {
      for (const groups of datasets.filter((each) => !keepsWhole || new Set(each).size > 2)) {
        const frozen = Object.freeze([...groups])
        const once = make().split(groups.length, frozen, stream(key(1)))
        const kept = make()
        for (let again = 0; again < 2; again++) expect(kept.split(groups.length, frozen, stream(key(1)))).toEqual(once)
      }
    })

    itPromises(
      plugin,
      'crossValidation',
      {
        kept: 'validates every example once over several folds, whose sizes differ by at most one',
        excused: 'does not validate every example once',
      },
      (reason) => {
        const check = (): void => {
          for (const groups of datasets)
            for (const known of [groups, []]) {
              const folds = splitOrReject(make(), groups.length, known)
              if (folds !== undefined)
                expectCrossValidation(folds, groups.length, known, keepsWhole && known.length > 0)
            }
        }
        if (reason === undefined) check()
        else expect(check).toThrow()
      },
    )

    if (make().stratifyBy !== undefined && !keepsWhole)
      itPromises(
        plugin,
        'stratified',
        { kept: 'keeps every class within one example of its proportion', excused: 'does not stratify' },
        (reason) => {
          const off = datasets.flatMap((groups) =>
            range(10).flatMap((seed) =>
              make()
                .split(groups.length, groups, stream(key(seed)))
                .map((fold) => largestDeviation(fold, groups)),
            ),
          )
          if (reason === undefined) expect(Math.max(...off)).toBeLessThan(1)
          else expect(Math.max(...off)).toBeGreaterThan(1)
        },
      )

    it('splits 0, 1, 2 and 3 examples, or rejects them with a code and a remedy', () => {
      for (const count of [0, 1, 2, 3])
        for (const groups of [[], range(count).map(String), range(count).map(() => 'one')]) {
          const folds = splitOrReject(make(), count, groups)
          if (folds !== undefined) expectSplits(folds, count, complete === undefined)
        }
    })
  })
}
