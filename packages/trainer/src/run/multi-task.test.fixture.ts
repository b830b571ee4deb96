import {
  type AnyObjective,
  type AnyPlugin,
  type Batch,
  type Encoded,
  type Example,
  LOSS,
  MODEL,
  OBJECTIVE,
  type Objective,
  type Params,
  TOKENIZER,
  type Views,
  definePlugin,
  deriveKey,
  use,
} from '@attune/core'
import { z } from 'zod'

const options = z.strictObject({
  by: z.string().default('task').meta({ field: 'label' }).describe('Field with the task of an example'),
  tasks: z.record(z.string(), use(OBJECTIVE)).describe('Tasks by name'),
})

/** Multi-task objective on one model: a field assigns each example to a task, and each batch holds one task. */
export const multiTask = definePlugin({
  kind: OBJECTIVE,
  name: 'multi-task',
  summary: 'Several tasks on one model',
  options,
  needs: { model: MODEL, tokenizer: TOKENIZER, losses: LOSS },
  async fit({ by, tasks }, examples, tokenizer, report) {
    async function* of(name: string) {
      for await (const example of examples()) if (example[by] === name) yield example
    }
    const fitted: Record<string, unknown> = {}
    for (const [name, { plugin, options: own, ...rest }] of Object.entries(tasks)) {
      const { fit } = plugin as AnyPlugin
      fitted[name] = { ...rest, plugin, options: (await fit?.(own, () => of(name), tokenizer, report)) ?? own }
    }
    return { by, tasks: fitted as never }
  },
  create({ by, tasks }, given): Objective {
    const all = Object.entries(tasks).map(
      ([name, { plugin, options: own }]) => [name, (plugin as AnyPlugin)(own, given) as AnyObjective] as const,
    )
    const of = (item: Encoded): readonly [string, AnyObjective] => all.find(([name]) => name === item.group)!
    const at = (name: string): string => `task.${name}.`
    const headOf = (name: string, params: Params): Params => ({
      ...params,
      ...Object.fromEntries(Object.entries(params).map(([n, t]) => [n.replace(at(name), ''), t])),
    })
    const ofBatch = (batch: object): readonly [string, AnyObjective] => all.find(([name]) => at(name) in batch)!
    const own = (name: string, batch: Readonly<Record<string, unknown>>): never =>
      ({ inputs: batch['inputs'], ...(batch[at(name)] as object) }) as never
    const named = (name: string, views: Views): Views =>
      Object.fromEntries(Object.entries(views).map(([view, value]) => [`${name}.${view}`, value]))
    const encode = (example: Example, how: 'encode' | 'encodeUnlabelled'): Encoded => {
      const group = String(example[by])
      return { ...of({ group } as Encoded)[1][how](example), group }
    }
    return {
      views: all.flatMap(([name, { views }]) => views.map((view) => `${name}.${view}`)),
      maximumLength: Math.max(...all.map(([, { maximumLength }]) => maximumLength)),
      config: { tasks: Object.fromEntries(all.map(([name, { config }]) => [name, config])) },
      init: (key) =>
        Object.fromEntries(
          all.flatMap(([name, task]) =>
            Object.entries(task.init(deriveKey(key, name))).map(([n, t]) => [`${at(name)}${n}`, t]),
          ),
        ),
      encode: (example) => encode(example, 'encode'),
      encodeUnlabelled: (example) => encode(example, 'encodeUnlabelled'),
      collate(items, random) {
        const [name, task] = of(items[0]!)
        const { inputs, ...rest } = task.collate(items, random)
        return { inputs, [at(name)]: rest } as Batch
      },
      head(params, outputs, mode, batch) {
        const [name, task] = ofBatch(batch)
        return task.head(headOf(name, params), outputs, mode, own(name, batch))
      },
      loss(head, batch) {
        const [name, task] = ofBatch(batch)
        return task.loss(head, own(name, batch))
      },
      predict(head, items) {
        const [name, task] = of(items[0]!)
        return task.predict(head, items).map((views) => named(name, views))
      },
      reference(item) {
        const [name, task] = of(item)
        return named(name, task.reference(item))
      },
    }
  },
})
