import {
  AUGMENTER,
  type AnyPlugin,
  type Augmenter,
  BALANCER,
  type Balancer,
  CLEANER,
  type Cleaner,
  type Example,
  FILTER,
  type Filter,
  type Found,
  SAMPLER,
  SOURCE,
  type Sampler,
  type Source,
  definePlugin,
  shuffled,
} from '@attune/core'
import { z } from 'zod'
import { toyExample } from '../run/toy.test.fixture.js'

/** Wraps a plugin as installed, with a version, so that its output can be stored. */
export const installed = (plugin: AnyPlugin, version = '1.0.0'): Found => ({
  plugin,
  origin: { specifier: plugin.name, package: `@attune/${plugin.name}`, version },
})

/** Source of toy examples with a fingerprint. */
export const toyStable = definePlugin({
  kind: SOURCE,
  name: 'toy-stable',
  summary: 'Four-letter texts with a fingerprint',
  options: z.strictObject({ count: z.int(), from: z.int().default(0), content: z.string().default('first') }),
  create: ({ count, from, content }): Source => ({
    location: `stable(${count})`,
    fingerprint: () => Promise.resolve(content),
    async *open() {
      for (let i = from; i < from + count; i++) yield await Promise.resolve({ ...toyExample(i), id: i })
    },
  }),
})

export const toyCleaner = definePlugin({
  kind: CLEANER,
  name: 'toy-cleaner',
  summary: 'Removes a letter',
  options: z.strictObject({ letter: z.string().default('d') }),
  create: ({ letter }): Cleaner => ({
    edits: (text) => [...text].flatMap((each, start) => (each === letter ? [{ start, end: start + 1, text: '' }] : [])),
  }),
})

export const toyFilter = definePlugin({
  kind: FILTER,
  name: 'toy-filter',
  summary: 'Removes every n-th example',
  options: z.strictObject({ every: z.int().default(10) }),
  create: ({ every }): Filter<number> => ({
    init: () => 0,
    add: (seen) => ({ state: seen + 1, keep: (seen + 1) % every !== 0, because: `number ${every}` }),
  }),
})

/** Oversamples the rarer class to equal frequency and weights it. */
export const toyBalancer = definePlugin({
  kind: BALANCER,
  name: 'toy-balancer',
  summary: 'Oversamples and weights the rarer class',
  options: z.strictObject({
    weight: z.number().optional(),
    fault: z.literal('range').optional(),
  }),
  create: ({ weight, fault }): Balancer => ({
    by: 'label',
    balance({ classes }) {
      const of = (name: string): number[] => [...classes.keys()].filter((i) => classes[i] === name)
      const [common, rare] = ['not', 'a'].map(of).sort((a, b) => b.length - a.length) as [number[], number[]]
      const repeated = common.map((_, i) => rare[i % rare.length]!)
      const indices = [...common, ...repeated, ...(fault === 'range' ? [classes.length] : [])]
      return {
        indices,
        ...(weight === undefined ? {} : { weights: indices.map((_, i) => (i < common.length ? 1 : weight)) }),
      }
    },
  }),
})

/** Examples passed to {@link toyAugmenter}. */
export const seenByAugmenter: Example[] = []

export const toyAugmenter = definePlugin({
  kind: AUGMENTER,
  name: 'toy-augmenter',
  summary: 'Adds copies with their letters shuffled',
  options: z.strictObject({ copies: z.int().default(1) }),
  create: ({ copies }): Augmenter => ({
    augment(example, random) {
      seenByAugmenter.push(example)
      const made = Array.from({ length: copies }, () => ({
        ...example,
        text: shuffled([...String(example['text'])], random).join(''),
      }))
      return [example, ...made]
    },
  }),
})

export const toySampler = definePlugin({
  kind: SAMPLER,
  name: 'toy-sampler',
  summary: 'A random subset of the examples, shortest first',
  options: z.strictObject({
    count: z.int(),
    batches: z.boolean().default(false),
    fault: z.enum(['range', 'grows']).optional(),
  }),
  create: ({ count, batches, fault }): Sampler => ({
    by: 'label',
    batches,
    order(epoch, data, random) {
      const all = shuffled([...Array(data.count).keys()], random).slice(0, count + (fault === 'grows' ? epoch : 0))
      const sorted = all.sort((a, b) => data.length(a) - data.length(b))
      return fault === 'range' ? [...sorted, data.count] : sorted
    },
  }),
})

/** All stage plugins, for `searchPaths.registered`. */
export const stagePlugins: readonly AnyPlugin[] = [
  toyStable,
  toyCleaner,
  toyFilter,
  toyBalancer,
  toyAugmenter,
  toySampler,
]
