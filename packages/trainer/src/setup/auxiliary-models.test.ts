import { expect, it } from '@jest/globals'
import { type Adapter, type Engine, type HostTree, type Params, key } from '@attune/core'
import { planRun } from '../plan/plan.js'
import { toyAdapter, toyConfig, toyPlugins } from '../run/toy.test.fixture.js'
import { auxiliaryModels } from './auxiliary-models.js'
import { compose, componentsOf } from './compose.js'

const searchPaths = { folders: ['.'], registered: toyPlugins }

/** Creates the reference of a toy model under an adapter, and counts the tensors it allocates. */
async function referenceUnder(adapter: Adapter) {
  const plan = await planRun({ ...toyConfig(), reference: 'start' }, { searchPaths })
  const parts = componentsOf(compose(plan, {}))
  const engine: Engine = parts.engine
  await engine.start()
  const init = () => ({ ...parts.model.init(key(1)), ...parts.objective.init(key(2)) })
  const first: Params = engine.compile(init)()
  const adapted = await adapter.adapt(parts.model, first, { pass: undefined as never })
  const before = engine.live()
  const { models, own } = await auxiliaryModels(
    plan,
    compose(plan, {}),
    parts,
    { model: parts.model, params: first },
    adapted,
  )
  return { engine, first, adapted, taken: engine.live() - before, models, own }
}

it('the reference model shares frozen parameters and copies only trainable ones', async () => {
  const { engine, first, adapted, taken, models, own } = await referenceUnder(toyAdapter({}))
  const trains = Object.keys(adapted.trainable)
  expect(Object.keys(own['reference']!).sort()).toEqual(trains.sort())
  expect(taken).toBe(trains.length)
  const params = models['reference']!.params(adapted.frozen, own['reference']!)
  expect(params['toy.embeddings.weight']).toBe(first['toy.embeddings.weight'])
  const read = async (tree: Params): Promise<HostTree> => (await engine.read(tree)) as HostTree
  expect(await read(params)).toEqual(await read(first))
})

it('the reference model copies nothing for a frozen base and everything for full fine-tuning', async () => {
  const adding: Adapter = {
    adapt: (model, params) => ({ model, trainable: {}, frozen: params, merge: (_, frozen) => frozen }),
  }
  expect((await referenceUnder(adding)).taken).toBe(0)
  const full: Adapter = {
    adapt: (model, params) => ({ model, trainable: params, frozen: {}, merge: (trainable) => trainable }),
  }
  const { taken, first } = await referenceUnder(full)
  expect(taken).toBe(Object.keys(first).length)
})
