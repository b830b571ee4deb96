import type { TrialRequest, TrialReport } from './run-trial.js'

/** Messages from a study to the process of a trial. */
export type ToWorker =
  { readonly type: 'run'; readonly request: TrialRequest } | { readonly type: 'stop'; readonly because: string }

/** Messages from the process of a trial to its study. */
export type FromWorker =
  | TrialReport
  | { readonly type: 'failed'; readonly code?: string; readonly problem: string; readonly remedy?: string }
  | { readonly type: 'done' }
