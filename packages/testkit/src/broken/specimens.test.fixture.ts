import { adapters } from './adapter.test.fixture.js'
import { augmenters } from './augmenter.test.fixture.js'
import { balancers } from './balancer.test.fixture.js'
import { cleaners } from './cleaner.test.fixture.js'
import { callbacks } from './callback.test.fixture.js'
import { engines } from './engine.test.fixture.js'
import { filters } from './filter.test.fixture.js'
import { links } from './link.test.fixture.js'
import { losses } from './loss.test.fixture.js'
import { metrics } from './metric.test.fixture.js'
import { models } from './model.test.fixture.js'
import { objectives } from './objective.test.fixture.js'
import { optimizers } from './optimizer.test.fixture.js'
import { options } from './options.test.fixture.js'
import { protocols } from './protocol.test.fixture.js'
import { pruners } from './pruner.test.fixture.js'
import { regularizers } from './regularizer.test.fixture.js'
import { samplers } from './sampler.test.fixture.js'
import { schedulers } from './scheduler.test.fixture.js'
import type { Specimen } from './specimen.test.fixture.js'
import { sources } from './source.test.fixture.js'
import { tokenizers } from './tokenizer.test.fixture.js'
import { trackers } from './tracker.test.fixture.js'
import { tuners } from './tuner.test.fixture.js'

/** All specimens, by kind. */
export const specimens: Readonly<Record<string, readonly Specimen[]>> = {
  options,
  scheduler: schedulers,
  metric: metrics,
  optimizer: optimizers,
  link: links,
  augmenter: augmenters,
  balancer: balancers,
  cleaner: cleaners,
  filter: filters,
  sampler: samplers,
  loss: losses,
  regularizer: regularizers,
  callback: callbacks,
  tracker: trackers,
  protocol: protocols,
  tuner: tuners,
  pruner: pruners,
  source: sources,
  adapter: adapters,
  tokenizer: tokenizers,
  model: models,
  objective: objectives,
  engine: engines,
}
