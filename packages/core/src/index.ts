export { type Budget, type BudgetLimits, createBudget } from './budget.js'
export type { ChooseOptions, Chosen, ChosenIn, FieldContent, FindPlugin, Use } from './config.js'
export {
  choosePlugins,
  fieldsRead,
  foundAt,
  isChosen,
  parseConfig,
  pathOptions,
  pluginsIn,
  use,
  useAll,
} from './config.js'
export { AttuneError, isAttuneError } from './error.js'
export type { Command, Commands, EventOf, RunEvent, RunEvents, RunFacts, Unstamped, UntimedEvent } from './events.js'
export { EVENTS, directionOf, on } from './events.js'
export { parseEvent, stringifyEvent } from './events-json.js'
export { excerpt, shortened } from './excerpt.js'
export { type Found, type Origin, isFound } from './found.js'
export { type Locate, describeIssues } from './issues.js'
export { isRecord, parseJson } from './json.js'
export { type Arity, type Kind, type OptionsSchema, kind } from './kind.js'
export { type Adapted, type Adapter, type AdapterInput, type SavedAdapter, ADAPTER } from './kinds/adapter.js'
export { type Augmenter, AUGMENTER } from './kinds/augmenter.js'
export { type Balanced, type Balancer, type Imbalanced, type Synthetic, BALANCER } from './kinds/balancer.js'
export type { Callback, CommandHandler, CommandHandlers, CommandHost } from './kinds/callback.js'
export { CALLBACK } from './kinds/callback.js'
export { type Cleaner, type Edit, CLEANER } from './kinds/cleaner.js'
export type { DataPass, DeviceBatch, PassAt, PassOptions } from './kinds/data-pass.js'
export { type CompileOptions, type Compiled, type Engine, type PureFunction, ENGINE } from './kinds/engine.js'
export type { Files } from './kinds/files.js'
export { type Filter, type Filtered, FILTER } from './kinds/filter.js'
export type { LayerHook, LayerSite } from './kinds/layer-hook.js'
export { type Compared, type LossTerm, LOSS } from './kinds/loss.js'
export { type Direction, type Metric, type Score, METRIC } from './kinds/metric.js'
export type {
  Cache,
  EncoderOutputs,
  FrozenEncoder,
  Head,
  Kept,
  LayerGroup,
  Mode,
  Model,
  StepKey,
  TextInputs,
} from './kinds/model.js'
export { ENCODER, MODEL } from './kinds/model.js'
export type {
  AnyObjective,
  AuxiliaryModel,
  Batch,
  Encoded,
  Losses,
  Objective,
  ReducedLoss,
  RolloutHost,
  TrainingContext,
  Views,
} from './kinds/objective.js'
export { OBJECTIVE } from './kinds/objective.js'
export { type Closure, type Hyper, type Optimizer, OPTIMIZER } from './kinds/optimizer.js'
export { type Fold, type Protocol, PROTOCOL } from './kinds/protocol.js'
export { type LossCall, type LossFunction, type Regularizer, REGULARIZER } from './kinds/regularizer.js'
export { type SampledData, type Sampler, SAMPLER } from './kinds/sampler.js'
export { type Scheduler, SCHEDULER } from './kinds/scheduler.js'
export { type Example, type Rejected, type RowCheck, type Source, SOURCE } from './kinds/source.js'
export type { EncodeOptions, Encoding, Side, SpecialTokens, Tokenizer } from './kinds/tokenizer.js'
export { TOKENIZER } from './kinds/tokenizer.js'
export { type Tracker, TRACKER } from './kinds/tracker.js'
export type { Choice, Distribution, Goal, Pruner, Space, Suggestion, Trial, Tuner } from './kinds/tuner.js'
export { PRUNER, TUNER } from './kinds/tuner.js'
export { nearest } from './nearest.js'
export type { CommonOptions, NamedPlugins } from './named-plugins.js'
export type { AnyPlugin, Injected, Manifest, Needs, Plugin, ReportProgress } from './plugin.js'
export { definePlugin, isPlugin, scheduled, scheduledOptions, titleOf } from './plugin.js'
export { type FileName, type UserSpecifier, fileName, userSpecifier } from './plugin-name.js'
export { type Key, RANDOMNESS, deriveKey, key, normals, shuffled, stream, threefry } from './random.js'
export { type Scope, closeScope, createScope, get, getAll, instantiate, provide, provideInstance } from './scope.js'
export type { HostArray, HostTree, HostValues, OnDevice, OnHost, Params, Tree } from './tree.js'
export { isHostArray, isTensor, leaves, mapParams, mapTree, treeOf } from './tree.js'
