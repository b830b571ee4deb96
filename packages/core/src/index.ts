export { type Budget, type BudgetLimits, createBudget } from './budget.js'
export type { ChooseOptions, Chosen, ChosenIn, FindPlugin, Use } from './config.js'
export { choosePlugins, fieldsRead, foundAt, parseConfig, pathOptions, use, useAll } from './config.js'
export { AttuneError, isAttuneError } from './error.js'
export type { Command, Commands, EventOf, RunEvent, RunEvents, RunFacts, Unstamped } from './events.js'
export { EVENTS, directionOf, on } from './events.js'
export { parseEvent, stringifyEvent } from './events-json.js'
export { installedPlugins } from './installed.js'
export { excerpt, shortened } from './excerpt.js'
export { type Locate, describeIssues } from './issues.js'
export { isRecord, parseJson } from './json.js'
export { type Arity, type Kind, kind } from './kind.js'
export { type Adapted, type Adapter, ADAPTER } from './kinds/adapter.js'
export { type Augmenter, AUGMENTER } from './kinds/augmenter.js'
export { type Balancer, BALANCER } from './kinds/balancer.js'
export { type Callback, CALLBACK } from './kinds/callback.js'
export { type Cleaned, type Cleaner, CLEANER } from './kinds/cleaner.js'
export { type CompileOptions, type Compiled, type Engine, type PureFunction, ENGINE } from './kinds/engine.js'
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
export { type Batch, type Encoded, type Loss, type Objective, type Views, OBJECTIVE } from './kinds/objective.js'
export { type Hyper, type Optimizer, OPTIMIZER } from './kinds/optimizer.js'
export { type Fold, type Protocol, PROTOCOL } from './kinds/protocol.js'
export { type Regularizer, REGULARIZER } from './kinds/regularizer.js'
export { type Scheduler, SCHEDULER } from './kinds/scheduler.js'
export { type Example, type Rejected, type Source, SOURCE } from './kinds/source.js'
export type { EncodeOptions, Encoding, Side, SpecialTokens, Tokenizer } from './kinds/tokenizer.js'
export { TOKENIZER } from './kinds/tokenizer.js'
export { type Tracker, TRACKER } from './kinds/tracker.js'
export type { Choice, Pruner, Range, Space, Trial, Tuner } from './kinds/tuner.js'
export { PRUNER, TUNER } from './kinds/tuner.js'
export { nearest } from './nearest.js'
export type { AnyPlugin, Given, Manifest, Needs, OptionsSchema, Plugin, ReportProgress } from './plugin.js'
export { definePlugin, titleOf } from './plugin.js'
export { type FileName, type UserSpecifier, fileName, userSpecifier } from './plugin-name.js'
export { type Key, RANDOMNESS, fold, key, normals, shuffled, stream, threefry } from './random.js'
export type { Found, Origin, SearchPlaces } from './resolve.js'
export { findInstalled, findPlugin, findReader, loadFrom } from './resolve.js'
export { type Scope, closeScope, createScope, get, getAll, provide, provideInstance } from './scope.js'
export type { HostArray, HostTree, HostValues, OnDevice, OnHost, Params, Tree } from './tree.js'
export { isHostArray, isTensor, leaves, mapParams, mapTree, treeOf } from './tree.js'
