import { describe, expect, it } from '@jest/globals'
import { Subject } from 'rxjs'
import { z } from 'zod'
import { type Command, type EventOf, type RunEvent, on } from './events.js'
import { kind } from './kind.js'
import { type Metric, METRIC } from './kinds/metric.js'
import { MODEL, type Model } from './kinds/model.js'
import { type FileName, type UserSpecifier, fileName, userSpecifier } from './plugin-name.js'
import { definePlugin } from './plugin.js'
import { createScope, get, provide } from './scope.js'

declare module './events.js' {
  interface RunEvents {
    'types-test.happened': { readonly magnitude: number }
  }
}

const LAMP = kind<{ readonly brightness: number }>('types-test-lamp', 'one')
const lamp = definePlugin({
  kind: LAMP,
  name: 'lamp',
  summary: 'A lamp for the compiler',
  options: z.strictObject({ brightness: z.number().default(1) }),
  create: (options) => options,
})
const needy = definePlugin({
  kind: LAMP,
  name: 'needy',
  summary: 'A lamp that needs a model and metrics',
  options: z.strictObject({}),
  needs: { model: MODEL, metrics: METRIC },
  create: (_, { model, metrics }) => ({ brightness: model.hiddenSize / metrics.length }),
})

// Type-level tests, never run: each line under an expectation must be a type error, or the build fails.
export function compilerRefuses(model: Model, metric: Metric): void {
  // @ts-expect-error -- an option of the wrong type
  lamp({ brightness: 'bright' })
  // @ts-expect-error -- an unknown option
  lamp({ colour: 'red' })
  // @ts-expect-error -- missing dependencies
  needy({})
  // @ts-expect-error -- a dependency of the wrong kind
  needy({}, { model: { brightness: 3 }, metrics: [metric] })
  // @ts-expect-error -- a single instance instead of a list
  needy({}, { model, metrics: metric })
  needy({}, { model, metrics: [metric] })
  // @ts-expect-error -- an option of the wrong type, by injection
  provide(createScope(), lamp, { brightness: 'bright' })
  // @ts-expect-error -- an instance of another kind
  const other: { hiddenSize: number } = get(createScope(), LAMP)
  // @ts-expect-error -- a model has no such member
  void [other, get(createScope(), MODEL).noSuchMember, get(createScope(), MODEL).hiddenSize]
  // @ts-expect-error -- an unknown event type
  on('step.exploded')
  // @ts-expect-error -- a command without a reason
  const stop: Command = { type: 'stop' }
  // @ts-expect-error -- a command without its field
  const scale: Command = { type: 'scaleLearningRate', because: 'a test' }
  definePlugin({
    kind: LAMP,
    name: 'wrong',
    summary: 'Makes something else',
    options: z.strictObject({}),
    // @ts-expect-error -- an instance of the wrong type
    create: () => ({ brightness: 'bright' }),
  })
  const [written, stated] = [userSpecifier('./mine.mjs'), fileName('./mine.mjs')]
  // @ts-expect-error -- a name from a file is not a user specifier
  const asUser: UserSpecifier = stated
  // @ts-expect-error -- a user specifier is not a name from a file
  const asFile: FileName = written
  // @ts-expect-error -- a plain string is neither
  const unknown: UserSpecifier | FileName = './mine.mjs'
  void [stop, scale, asUser, asFile, unknown]
}

describe('on', () => {
  it('passes typed events of one type, including those added by declaration merging', () => {
    const events = new Subject<RunEvent>()
    const seen: [string, number][] = []
    events.pipe(on('evaluation.started')).subscribe((event) => seen.push([event.split, event.step]))
    events.pipe(on('types-test.happened')).subscribe(({ magnitude }) => seen.push(['earthquake', magnitude]))
    const evaluation: EventOf<'evaluation.started'> = {
      type: 'evaluation.started',
      at: 0,
      step: 4,
      split: 'validation',
    }
    events.next({ type: 'epoch.started', at: 0, epoch: 0, step: 0 })
    events.next(evaluation)
    events.next({ type: 'types-test.happened', at: 0, magnitude: 7 })
    expect(seen).toEqual([
      ['validation', 4],
      ['earthquake', 7],
    ])
  })
})
