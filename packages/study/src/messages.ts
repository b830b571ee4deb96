import type { TrialRequest, TrialReport } from './run-trial.js'

/** What a study sends to the process of a trial. */
export type ToWorker =
  { readonly type: 'run'; readonly order: TrialRequest } | { readonly type: 'stop'; readonly because: string }

/** What the process of a trial sends back. */
export type FromWorker =
  | TrialReport
  | { readonly type: 'failed'; readonly code?: string; readonly problem: string; readonly remedy?: string }
  | { readonly type: 'done' }
